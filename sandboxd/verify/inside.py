"""Brings the attempts into a container, runs them there, and collects their reports."""

from __future__ import annotations

import json
import os
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sandboxd.engine import execute, failures
from sandboxd.engine.client import Exec
from sandboxd.engine.payload import interpreter, programs
from sandboxd.errors import EnvironmentFailure
from sandboxd.folders import cache_folder
from sandboxd.host.trials import end_leaked
from sandboxd.verify import attempts as attempt_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sandboxd.engine.client import Engine
    from sandboxd.engine.payload.container import Started
    from sandboxd.verify.attempts import Attempt

    Progress = Callable[[int, int], None]

# All attempts take 2 s under runc and 5 s under gVisor; a sandbox that hangs must not hang us.
TOTAL_SECONDS = 60.0
# The same for a sandbox on another machine, where our Python, some 30 MB, has to come to first.
REMOTE_SECONDS = 240.0
# The limit for the attempts that are also made in the sandbox in use.
LOOK_SECONDS = 10.0
_MARK = "SANDBOXD_VERIFY"
_STATES = ("done", "stopped", "not applicable", "unclear")


class Report(NamedTuple):
    """`records` has the result of each attempt; `reason` says why some are missing, '' if none is. `identity` describes
    the inside.
    """

    identity: Mapping[str, Any]
    records: Mapping[str, Mapping[str, Any]]
    reason: str


NOTHING = Report({}, {}, "")

OURS, THE_IMAGES = "our Python", "the image's Python"
"""Values of `Report.identity["interpreter"]` by `make_by`: which Python made the attempts."""


class Run(Protocol):
    """Runs a command in a sandbox, with `data` as its stdin.

    :raises TimeoutError: it did not end within `seconds`
    """

    def __call__(
        self, command: list[str], data: bytes, seconds: float, write: Callable[[int, bytes], None]
    ) -> int:
        """Run the command and hand its output to `write` (1 stdout, 2 stderr); its exit code."""


def make(
    engine: Engine,
    replica: Started,
    attempts: Sequence[Attempt],
    facts: Mapping[str, Any],
    progress: Progress,
) -> Report:
    """Run `attempts` with our Python in a container in which nothing else runs."""
    nonce = f"sandboxd-{secrets.token_hex(8)}"
    program = attempt_list.program(attempts, facts, nonce)
    collector = _Collector(nonce, len(attempts), progress)
    request = Exec(replica.command("-"), env=replica.environment())
    try:
        reason = _run(engine, replica.id, request, program, collector)
    except TimeoutError:
        # A gVisor that hangs obeys no engine: its processes are ended first, by their ids.
        end_leaked(replica.id)
        reason = f"the attempts did not finish within {TOTAL_SECONDS:g} s"
    except failures.ContainerGone:
        reason = "the container that was attacked ended"
    if collector.ended:
        reason = ""
    elif not collector.identity:
        reason = f"our Python cannot run in it: {collector.last_words() or reason}"
    return Report(collector.identity, collector.records, reason)


def make_by(
    run: Run,
    attempts: Sequence[Attempt],
    facts: Mapping[str, Any],
    progress: Progress,
    control: str,
) -> Report:
    """Run `attempts` in a sandbox that is in use: with our Python, or with the image's if ours cannot run there.

    :param run: runs a command in it
    :param control: as in `attempts.program`
    :raises SandboxdError: raised by `run`, for example if the sandbox ends meanwhile
    """
    nonce = f"sandboxd-{secrets.token_hex(8)}"
    program = attempt_list.program(attempts, facts, nonce, control)
    reasons: list[str] = []
    for name, command, text in _ways(program, nonce, reasons):
        collector = _Collector(nonce, len(attempts) + bool(control), progress)
        try:
            code = run(command, text, REMOTE_SECONDS, collector.write)
            why = f"the attempts ended early with exit code {code}"
        except TimeoutError:
            code, why = 0, f"the attempts did not finish within {REMOTE_SECONDS:g} s"
        if collector.identity:
            identity = {**collector.identity, "interpreter": name}
            return Report(identity, collector.records, "" if collector.ended else why)
        reasons.append(f"{name}: {interpreter.REASONS.get(code) or collector.last_words() or why}")
    return Report({}, {}, f"no Python runs in it: {'; '.join(reasons)}")


def _ways(program: bytes, nonce: str, reasons: list[str]) -> Iterator[tuple[str, list[str], bytes]]:
    """The interpreters to try: a name, the command, and its input."""
    with_ours = ["sh", "-c", interpreter.SCRIPT, "sh", nonce]
    try:
        folder = cache_folder(os.environ)
        yield OURS, with_ours, interpreter.archive(program, attempt_list.imports(), folder)
    except EnvironmentFailure as error:
        reasons.append(f"{OURS}: {error.message}")
    yield THE_IMAGES, ["python3", "-I", "-S", "-B", "-"], program


def look_around(
    engine: Engine, container: str, attempts: Sequence[Attempt], facts: Mapping[str, Any]
) -> Report:
    """Run `attempts` in a sandbox that is in use, with its own shell and `tar`; only bad news from it is credible.

    If that fails the report is empty, which is no error, as good news would not count anyway.
    """
    nonce = f"sandboxd-{secrets.token_hex(8)}"
    program = attempt_list.program(attempts, facts, nonce)
    collector = _Collector(nonce, len(attempts), lambda *_: None)
    mark = f"{_MARK}={secrets.token_hex(8)}"
    command = ["sh", "-c", interpreter.SCRIPT, "sh", nonce]
    request = Exec(command, env=[mark])
    try:
        tar = interpreter.archive(program, attempt_list.imports(), cache_folder(os.environ))
        _run(engine, container, request, tar, collector, LOOK_SECONDS)
    except TimeoutError:
        execute.kill_marked(engine, container, "", mark, 9)
    except EnvironmentFailure:
        return NOTHING
    return Report(collector.identity, collector.records, "")


class _Collector:
    """Reads the lines of the runner; other output is ignored."""

    def __init__(self, nonce: str, total: int, progress: Progress) -> None:
        self.identity: dict[str, Any] = {}
        self.records: dict[str, dict[str, Any]] = {}
        self.ended = False
        self._prefix = f"{nonce} ".encode()
        self._total = total
        self._progress = progress
        self._line = b""
        self._errors = b""
        self._bytes = 0

    def write(self, stream: int, data: bytes) -> None:
        self._bytes += len(data)
        if self._bytes > execute.MOST_BYTES:
            raise execute.TooMuch(f"the attempts wrote more than {execute.MOST_BYTES >> 20} MiB")
        if stream == 2:
            self._errors = (self._errors + data)[-2000:]
            return
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            if line.startswith(self._prefix):
                try:
                    self._record(json.loads(line[len(self._prefix) :]))
                except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                    raise EnvironmentFailure(
                        "the Python in the sandbox reports what no attempt of ours reports",
                        "nothing is shown by it: use an image that you trust to answer",
                    ) from None
            else:
                self._errors = (self._errors + line + b"\n")[-2000:]

    def last_words(self) -> str:
        lines = self._errors.decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:200] if lines else ""

    def _record(self, record: dict[str, Any]) -> None:
        if record["kind"] == "identity":
            if not all(isinstance(each, str | None) for each in record["namespaces"].values()):
                raise TypeError
            self.identity = self.identity or record
        elif record["kind"] == "attempt":
            paths = [*record.get("reached", ()), *record.get("movable", ())]
            if record["state"] not in _STATES or any("\0" in path for path in paths):
                raise ValueError
            if not isinstance(record.get("target", ""), str):
                raise TypeError
            # The first word counts: a later one could come from a program that an attempt started.
            self.records.setdefault(record["name"].replace("_", "-"), record)
            self._progress(len(self.records), self._total)
        else:
            self.ended = True


def _run(
    engine: Engine,
    container: str,
    request: Exec,
    stdin: bytes,
    collector: _Collector,
    seconds: float = 0,
) -> str:
    """Run a command with `stdin` as its input; returns why it ended, in words.

    :raises TimeoutError: it did not end within `seconds`
    """
    code = programs.run(
        engine, container, request, stdin, seconds or TOTAL_SECONDS, collector.write
    )
    return f"the attempts ended early with exit code {code}"
