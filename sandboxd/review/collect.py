"""Collects the changes in a sandbox's private copy into a file in the user's state folder.

A program of ours runs inside and writes the stream of `review.changes`: with the image's Python, or with ours if that
does not work. On the host, nothing of the workspace is run.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import json
import os
import secrets
import stat
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sandboxd.engine import execute
from sandboxd.engine.client import Exec
from sandboxd.engine.payload import interpreter, programs
from sandboxd.errors import EnvironmentFailure
from sandboxd.folders import cache_folder
from sandboxd.model.labels import PROJECT
from sandboxd.model.sandbox_id import name_of, sandbox_id, workspace_of
from sandboxd.plan.lasting import is_copy as is_copy_volume
from sandboxd.plan.layout import MARK, MARK_FOLDER, REPOSITORY, SOURCE
from sandboxd.plan.tool_folders import KNOWN
from sandboxd.review import changes, copies, host_times, original, refs, sent, stop_notes
from sandboxd.review.stream_files import SUFFIX, UNFINISHED, every, folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sandboxd.engine.client import Engine
    from sandboxd.model.engine_answers import Inspected
    from sandboxd.review.changes import Changes

# Reading a copy of 10,000 files takes a second under gVisor; a large one is written to disk besides.
TOTAL_SECONDS = 300.0
_LONGEST_ANSWER = 64 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT)


def is_copy(inspected: Inspected) -> bool:
    """Whether a container works on a private copy: in memory or a volume, or beside the original that is mounted."""
    in_memory = MARK_FOLDER in ((inspected.get("HostConfig") or {}).get("Tmpfs") or {})
    return in_memory or any(
        is_copy_volume(mount.get("Name") or "")
        or (mount.get("Destination") == SOURCE and not mount.get("RW"))
        for mount in inspected.get("Mounts") or []
    )


class Inside(Protocol):
    """Runs a command in a sandbox, with `data` as its stdin.

    :raises TimeoutError: it did not end within `seconds`
    """

    def __call__(
        self, command: list[str], data: bytes, seconds: float, write: Callable[[int, bytes], None]
    ) -> int:
        """Run `command`, pass its output to `write` (1 stdout, 2 stderr); returns its exit code."""


class Copy(NamedTuple):
    """A private copy: its folder inside, and the original from which it was made."""

    folder: str
    started: int
    """When the copy began, in nanoseconds since 1970."""
    mark: str = ""
    """A file inside that exists once the copy is complete; '' if it is known to be complete."""
    listed: Mapping[str, Any] | None = None
    """The list of what was copied, as `changes_inside` reads it; None if the original is mounted inside."""
    hidden: Mapping[str, str] = {}
    """Paths that were not copied since they are hidden, each with the reason."""
    times: Mapping[str, host_times.Times] | None = None
    """The times of the host's files before the copy; None: the clock decides what the host changed since."""


def collect(
    engine: Engine, inspected: Inspected, workspace: str, *, stop_others: bool = False
) -> Changes:
    """Collect the changes of a running container's copy into a new file, which the caller removes.

    :param inspected: the container, as the engine describes it
    :param stop_others: first stop all other processes in it, for a sandbox that is about to end; see `let_go_on`
    :raises EnvironmentFailure: the changes cannot be read, or are not plausible
    """
    started = _copied_at(engine, inspected)
    _require_an_answer(engine, inspected["Id"])
    is_marked = MARK_FOLDER in ((inspected.get("HostConfig") or {}).get("Tmpfs") or {})
    copy = Copy(
        (inspected.get("Config") or {}).get("WorkingDir") or "/",
        started,
        MARK if is_marked else "",
        times=_times(engine, inspected),
    )
    sandbox = sandbox_id(workspace, _sandbox_name(inspected))
    if not _has_original(inspected):
        copy = copy._replace(**_sent(engine, inspected, sandbox))
    inside = inside_of(engine, inspected["Id"])
    if stop_others:
        stop_notes.note(os.environ, inspected["Id"])
    return collect_by(
        inside, copy, sandbox, str(inspected["Name"]).lstrip("/"), stop_others=stop_others
    )


def _has_original(inspected: Inspected) -> bool:
    """Whether the original of the copy is mounted beside it, as generated files have it."""
    return any(mount.get("Destination") == SOURCE for mount in inspected.get("Mounts") or [])


def _sent(engine: Engine, inspected: Inspected, sandbox: str) -> dict[str, Any]:
    """The fields of `Copy` about what was sent; of a copy of which nothing is noted, what the host has now counts."""
    noted = sent.recall(sandbox, copies.of_container(engine, inspected))
    if noted is not None:
        return {"listed": noted.listed, "hidden": noted.hidden}
    workspace = workspace_of(sandbox)
    entries = original.survey(workspace, lambda path, _: path == ".git" or path.endswith("/.git"))
    manifest = original.Manifest({}, {}, set())
    for parcel in original.parcels(workspace, entries):
        if isinstance(parcel, original.Archive):
            manifest.add(parcel.noted)
        elif isinstance(parcel, original.Whole):
            manifest.add((parcel.noted,))
    return {"listed": manifest.listed}


def inside_of(engine: Engine, container: str) -> Inside:
    """A function that runs commands in a container."""

    def inside(
        command: list[str], data: bytes, seconds: float, write: Callable[[int, bytes], None]
    ) -> int:
        return programs.run(engine, container, Exec(command), data, seconds, write)

    return inside


def collect_by(
    inside: Inside, copy: Copy, sandbox: str, name: str, *, stop_others: bool
) -> Changes:
    """Collect the changes of `copy` into a new file, which the caller removes.

    :param sandbox: the sandbox's identity
    :param name: the name of its container or Pod, for the file's name
    :param stop_others: first stop all other processes in it
    :raises EnvironmentFailure: the changes cannot be read, or are not plausible
    """
    workspace = workspace_of(sandbox)
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    path = os.path.join(folder(), f"{name}-{stamp}-{secrets.token_hex(2)}{SUFFIX}")
    # A name of its own until it is whole: after a kill no partial stream counts as kept work.
    unfinished = path + UNFINISHED
    try:
        os.makedirs(folder(), mode=0o700, exist_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            number = max((each.number for each in every()), default=0) + 1
            head = changes.header(workspace, name, copy.started, name_of(sandbox), number)
            file.write(head)
            _fill(inside, copy, workspace, _Spool(file), stop_others)
            file.flush()
            os.fsync(file.fileno())
        result = changes.with_times(changes.read(unfinished), copy.times, copy.hidden)
        os.rename(unfinished, path)
        return result._replace(path=path)
    except BaseException as error:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(unfinished)
        if isinstance(error, OSError) and error.errno in _FULL:
            raise EnvironmentFailure(
                f"`{folder()}` has no room for the changes, which stay in the sandbox",
                "free some space, then run the command again",
            ) from None
        raise


class Compared(NamedTuple):
    """Paths of a copy, as the sandbox reports them: `untouched` are as they were sent, `same` are as the host has them
    now; others were changed inside.
    """

    untouched: frozenset[str]
    same: frozenset[str]
    held: frozenset[str]
    """Folders that no longer exist on the host, but contain something inside that the host never had."""


def compare(
    inside: Inside, copy: Copy, workspace: str, now: Mapping[str, Sequence[object] | None]
) -> Compared:
    """Ask the sandbox which paths of `now` are as in `copy.listed`, or as in `now`; all other processes in it are
    stopped.

    :param now: what the host has at each path, None if nothing; in the format of `copy.listed`
    :raises EnvironmentFailure: the sandbox does not answer, or not plausibly
    """
    answer = io.BytesIO()
    _fill(inside, copy, workspace, _Spool(answer, _LONGEST_ANSWER), True, now=now)
    try:
        document = json.loads(answer.getvalue())
        untouched, same = document["untouched"], document["same"]
        is_as_sent = frozenset(now).intersection(untouched)
        held = frozenset(now).intersection(document["held"])
        return Compared(is_as_sent, frozenset(now).intersection(same) - is_as_sent, held)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise changes.Untrue("no lists of what it was asked") from None


def vanished(
    listed: Mapping[str, Sequence[object]], now: Mapping[str, Sequence[object] | None]
) -> list[str]:
    """Folders of `listed` that are not folders in `now`."""
    return [
        key for key, fields in now.items() if _is_folder(listed.get(key)) and not _is_folder(fields)
    ]


def _is_folder(fields: Sequence[object] | None) -> bool:
    return fields is not None and stat.S_ISDIR(int(str(fields[0])))


def let_go_on(engine: Engine, container: str) -> bool:
    """Continue the processes that `collect` stopped, because the container does not end after all.

    :returns: False if the container did not run the command; then it remains recorded that its processes are stopped
    """
    try:
        execute.run_quietly(engine, container, Exec(["sh", "-c", "kill -CONT -1"]))
    except EnvironmentFailure:
        return False
    stop_notes.forget(os.environ, container)
    return True


def _require_an_answer(engine: Engine, container: str) -> None:
    """Check within seconds that the container responds, before the long reading of the copy.

    :raises NoAnswer: the container does not respond
    """
    execute.run_quietly(engine, container, Exec(["sh", "-c", ":"]))


def streams_of(sandbox: str) -> list[str]:
    """Paths of the saved streams of a sandbox, newest first.

    :param sandbox: the sandbox's identity
    """
    return [stream.path for stream in every() if stream.sandbox == sandbox]


def _sandbox_name(inspected: Inspected) -> str:
    labels = (inspected.get("Config") or {}).get("Labels") or {}
    return name_of(labels.get(PROJECT) or "")


def _copied_at(engine: Engine, inspected: Inspected) -> int:
    """The time at which the copy in a container was made, in nanoseconds since 1970.

    :raises NotWhole: it is a lasting copy that was never completed
    """
    volume = copies.copy_of(engine, inspected)
    if volume is None:
        return _start_time(inspected)
    since = copies.whole_since(volume)
    if since is None:
        raise changes.NotWhole
    return since


def _times(engine: Engine, inspected: Inspected) -> Mapping[str, host_times.Times] | None:
    sandbox = ((inspected.get("Config") or {}).get("Labels") or {}).get(PROJECT) or ""
    return host_times.recall(sandbox, copies.of_container(engine, inspected))


def _start_time(inspected: Inspected) -> int:
    """The start of the container, about when its copy was made, in nanoseconds since 1970."""
    text = str(inspected["State"]["StartedAt"]).rstrip("Z")
    whole, _, fraction = text.partition(".")
    seconds = int(datetime.fromisoformat(f"{whole}+00:00").timestamp())
    return seconds * 10**9 + int((fraction + "0" * 9)[:9])


def _fill(
    inside: Inside,
    copy: Copy,
    workspace: str,
    spool: _Spool,
    stop_others: bool,
    now: Mapping[str, Sequence[object] | None] | None = None,
) -> None:
    nonce = f"sandboxd-{secrets.token_hex(8)}"
    task = {
        "nonce": nonce,
        "source": SOURCE,
        "repository": REPOSITORY,
        "listed": copy.listed,
        "now": now,
        "vanished": vanished(copy.listed or {}, now or {}),
        "mark": copy.mark,
        "copy": copy.folder,
        "stop_others": stop_others,
        "made_by_tools": KNOWN,
        "largest": changes.LARGEST,
        "largest_bundle": changes.LARGEST_BUNDLE,
        "have": refs.known_commits(workspace),
    }
    source = program()
    text = programs.with_task(source, task)
    spool.expect(nonce)
    reason = _run(inside, ["python3", "-I", "-S", "-"], text, spool)
    if not spool.begun:
        tar = interpreter.archive(text, programs.imported_by([source]), cache_folder(os.environ))
        command = ["sh", "-c", interpreter.SCRIPT, "sh", nonce]
        reason = _run(inside, command, tar, spool)
    if not spool.begun:
        raise EnvironmentFailure(
            f"the changes in the sandbox cannot be read: {reason}",
            "take files out by `sandboxd exec -n -- tar c FILES > results.tar`",
        )


@functools.cache
def program() -> str:
    """The source text of the program that runs inside; its `main` is called with the task."""
    own = (
        programs.source_beside(__file__, f"{name}.py") for name in ("git_inside", "changes_inside")
    )
    return programs.joined((programs.source_of("others"), *own))


class _Spool:
    """Writes the output after our program's first line to a file, up to a limit."""

    def __init__(self, file: Any, most: int = changes.MOST_BYTES) -> None:
        self.begun = False
        self._file = file
        self._mark = b""
        self._early = b""
        self._most = self._left = most
        self.errors = b""

    def expect(self, nonce: str) -> None:
        self._mark = nonce.encode() + b"\n"

    def write(self, stream: int, data: bytes) -> None:
        if stream == 2:
            self.errors = (self.errors + data)[-500:]
            return
        if not self.begun:
            self._early = (self._early + data)[-65536:]
            _, mark, data = self._early.partition(self._mark)
            if not mark:
                return
            self.begun = True
        self._left -= len(data)
        if self._left < 0:
            raise execute.TooMuch(f"changes of more than {self._most >> 20} MiB")
        self._file.write(data)


def _run(inside: Inside, command: list[str], stdin: bytes, spool: _Spool) -> str:
    """Run a command with `stdin` as its input; returns how it ended: its last error line, or its exit code."""
    try:
        code = inside(command, stdin, TOTAL_SECONDS, spool.write)
    except TimeoutError:
        raise EnvironmentFailure(
            f"the sandbox does not say what changed within {TOTAL_SECONDS:g} s",
            "look at what runs in it: `sandboxd exec ps`",
        ) from None
    errors = spool.errors.decode("utf-8", "replace").strip().splitlines()
    reason = interpreter.REASONS.get(code) or (errors[-1] if errors else f"exit code {code}")
    return reason[:300]


def age(path: str) -> float:
    """The seconds since a saved stream was written."""
    return max(0.0, time.time() - os.stat(path).st_mtime)
