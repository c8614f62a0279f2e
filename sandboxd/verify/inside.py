"""Gets the attempts into a container, runs them there, and collects what they report."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.engine import execute, failures
from sandboxd.engine.client import Exec
from sandboxd.errors import EnvironmentFailure
from sandboxd.host.folders import cache_folder
from sandboxd.host.trials import end_leaked
from sandboxd.payload import interpreter, programs
from sandboxd.verify import attempts as attempt_list
from sandboxd.verify import fresh

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sandboxd.engine.client import Engine
    from sandboxd.verify.attempts import Attempt

    Progress = Callable[[int, int], None]

# All attempts take 2 s under runc and 5 s under gVisor; a sandbox that hangs must not hang us.
TOTAL_SECONDS = 60.0
_MARK = "SANDBOXD_VERIFY"
_STATES = ("done", "stopped", "not applicable", "unclear")


class Report(NamedTuple):
    """`records` by attempt; `reason` says why the others are missing, '' when none is.

    `own_python` is whether they were made by the Python that sandboxd brought, not the image's.
    """

    identity: Mapping[str, Any]
    records: Mapping[str, Mapping[str, Any]]
    reason: str
    own_python: bool = True


def make(
    engine: Engine,
    container: str,
    attempts: Sequence[Attempt],
    facts: Mapping[str, Any],
    progress: Progress,
    is_fresh: bool = False,
) -> Report:
    """Run `attempts` with our Python, or with the image's where ours cannot run.

    :param is_fresh: the container was made by `verify.fresh` and has our Python already
    """
    nonce = f"sandboxd-{secrets.token_hex(8)}"
    program = attempt_list.program(attempts, facts, nonce)
    collector = _Collector(nonce, len(attempts), progress)
    if is_fresh:
        reason = _run(engine, container, fresh.command(), program, collector, fresh.environment())
        if collector.ended:
            reason = ""
        elif not collector.identity:
            reason = f"our Python cannot run in it: {collector.last_words() or reason}"
        return Report(collector.identity, collector.records, reason)
    reason = _with_our_python(engine, container, program, nonce, collector)
    own = bool(collector.identity)
    if not own and not collector.timed_out:
        again = _run(engine, container, ["python3", "-I", "-S", "-"], program, collector)
        # Why ours cannot run says more than that the image has none.
        reason = again if collector.identity else reason
    if collector.ended:
        reason = ""
    return Report(collector.identity, collector.records, reason, own)


def _with_our_python(
    engine: Engine, container: str, program: bytes, nonce: str, collector: _Collector
) -> str:
    try:
        tar = interpreter.archive(program, attempt_list.imports(), cache_folder(os.environ))
    except EnvironmentFailure as error:
        return f"{error.message}, and the image has no Python 3.8 that works"
    command = ["sh", "-c", interpreter.SCRIPT, "sh", nonce]
    reason = _run(engine, container, command, tar, collector)
    if collector.identity or collector.code is None:
        return reason
    why = interpreter.REASONS.get(collector.code, collector.last_words() or reason)
    return f"our Python cannot run in it ({why}), and the image has none of 3.8 or later that works"


class _Collector:
    """Reads the runner's lines; anything else that is printed is not ours and is not believed."""

    def __init__(self, nonce: str, total: int, progress: Progress) -> None:
        self.identity: dict[str, Any] = {}
        self.records: dict[str, dict[str, Any]] = {}
        self.ended = False
        self.code: int | None = None
        self.timed_out = False
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

    def begin(self) -> None:
        """Forget what a try before this one said."""
        self.code = None
        self._line = self._errors = b""

    def last_words(self) -> str:
        lines = self._errors.decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:200] if lines else ""

    def _record(self, record: dict[str, Any]) -> None:
        if record["kind"] == "identity":
            if not isinstance(record["namespaces"], dict):
                raise TypeError
            self.identity = record
        elif record["kind"] == "attempt":
            paths = [*record.get("reached", ()), *record.get("movable", ())]
            if record["state"] not in _STATES or any("\0" in path for path in paths):
                raise ValueError
            self.records[record["name"].replace("_", "-")] = record
            self._progress(len(self.records), self._total)
        else:
            self.ended = True


def _run(
    engine: Engine,
    container: str,
    command: list[str],
    stdin: bytes,
    collector: _Collector,
    env: Sequence[str] = (),
) -> str:
    """Run a command and feed it; why it ended, in words."""
    collector.begin()
    mark = secrets.token_hex(8)
    request = Exec(command, env=[*env, f"{_MARK}={mark}"])
    try:
        code = programs.run(engine, container, request, stdin, TOTAL_SECONDS, collector.write)
    except TimeoutError:
        collector.timed_out = True
        execute.kill_marked(engine, container, request.user, f"{_MARK}={mark}", 9)
        return _after_time(engine, container)
    collector.code = code
    return f"the attempts ended early with exit code {collector.code}"


def _after_time(engine: Engine, container: str) -> str:
    """Leave a sandbox that still answers alone, and kill one that hangs; what was done, in words."""
    late = f"the sandbox did not finish within {TOTAL_SECONDS:g} s"
    try:
        execute.run_quietly(engine, container, Exec(["true"]))
    except failures.ContainerGone:
        return f"{late}, and ended"
    except EnvironmentFailure:
        # A gVisor that hangs obeys no engine: its processes are ended first, by their ids.
        end_leaked(container)
        with contextlib.suppress(EnvironmentFailure):
            engine.stop(container, 0)
        return f"{late} and does not answer: it was killed"
    return late
