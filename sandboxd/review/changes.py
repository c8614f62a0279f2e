"""Reads the changes of a sandbox's private copy from a stream that a program inside sends and that is not trusted.

A stream is saved as a file: a line of our own, then what the sandbox sent (`changes_inside`). If it contains a path,
number or size that no copy can have, the whole stream is rejected.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple, cast

from sandboxd.errors import EnvironmentFailure
from sandboxd.review.host_times import Times

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Kind = Literal["file", "link", "gone", "other", "large", "unreadable"]
_KINDS = ("file", "link", "gone", "other", "large", "unreadable")

LARGEST = 16 << 20
"""The largest file that is sent, in bytes."""
LARGEST_BUNDLE = 256 << 20
MOST_BYTES = 512 << 20
"""The largest stream, in bytes."""
MOST_ENTRIES = 50_000
_LONGEST_LINE = 1 << 16
_LONGEST_NAME = 255
_VERSION = 2
"""The version of files that have the host's file times after the stream."""


class Change(NamedTuple):
    """One path of the copy that differs from the original; its content is `size` bytes at `offset` of the file.

    `path` is relative and has no ``.`` or ``..``; `mtime` is in nanoseconds since 1970, as the sandbox reported it.
    ``large``, ``unreadable`` and ``other`` (a socket, a device) have no content.
    """

    path: str
    kind: Kind
    mode: int
    mtime: int
    offset: int = 0
    size: int = 0


class Changes(NamedTuple):
    """A whole stream, in the file `path`. `started` is when the copy was made, in nanoseconds since 1970.

    `skipped` are names that git ignores or that tools made, and `more` is the number of those not listed. `problem` is
    the reason why there is no bundle although there is a repository; '' otherwise.
    """

    path: str
    workspace: str
    container: str
    started: int
    entries: tuple[Change, ...]
    bundle: tuple[int, int] | None
    """Offset and size of a git bundle with the commits; None if there is none."""
    skipped: tuple[str, ...]
    more: int
    problem: str
    end: int = 0
    """The offset behind what the sandbox sent."""
    times: Mapping[str, Times] | None = None
    """The times of the host's files before the copy, for the paths in `entries`; None if they are not known."""
    name: str = ""
    """The sandbox's name; '' for the unnamed one."""
    hidden: Mapping[str, str] = {}
    """Paths of the host that were hidden from the sandbox, each with the reason."""

    def content(self, change: Change) -> bytes:
        return self._bytes(change.offset, change.size)

    def not_looked_at(self) -> str:
        """A phrase for the user with the skipped names and why they were skipped; `skipped` must not be empty."""
        names = ", ".join(f"`{name}`" for name in self.skipped[:5])
        more = len(self.skipped[5:]) + self.more
        return (
            "as git ignores it, a tool made it, or it is a repository's own folder: "
            f"{names}{f' and {more} more' if more else ''}"
        )

    def bundle_bytes(self) -> bytes:
        return self._bytes(*self.bundle) if self.bundle is not None else b""

    def _bytes(self, offset: int, size: int) -> bytes:
        with open(self.path, "rb") as file:
            file.seek(offset)
            return file.read(size)


class Untrue(EnvironmentFailure):
    """The stream contains something that no copy of a workspace can contain."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"what the sandbox says of its changes cannot be: {what}",
            "nothing of it is used; `sandboxd exec` shows what runs in it, `sandboxd down --discard` "
            "ends it",
        )


class NotWhole(EnvironmentFailure):
    """The private copy was never completed, so missing files do not count as deleted."""

    def __init__(self) -> None:
        super().__init__(
            "the private copy in this sandbox is not whole: its start was interrupted",
            "`sandboxd up` makes it anew",
        )


def header(workspace: str, container: str, started: int, name: str = "", number: int = 0) -> bytes:
    """The first line of the file, which we write.

    :param container: the container's name
    :param started: when the copy was made, in nanoseconds since 1970
    :param name: the sandbox's name; '' for the unnamed one
    :param number: higher than that of every earlier stream
    """
    fields = {
        "version": _VERSION,
        "number": number,
        "workspace": workspace,
        "name": name,
        "container": container,
        "started": started,
    }
    return json.dumps(fields).encode() + b"\n"


def read(path: str) -> Changes:
    """Read the stream in the file `path`.

    :raises Untrue: no copy of a workspace can have made it, or it is truncated
    :raises NotWhole: the copy was never completed
    """
    with open(path, "rb") as file:
        fields = _object(file)
        try:
            workspace, container = str(fields["workspace"]), str(fields["container"])
            started = int(fields["started"])
            has_times = fields.get("version") == _VERSION
        except (KeyError, TypeError, ValueError):
            raise Untrue("it does not begin as we begin it") from None
        entries: list[Change] = []
        bundle: tuple[int, int] | None = None
        for head in _heads(file):
            kind = head.get("kind")
            if kind == "end":
                whole = _whole(path, workspace, container, started, entries, bundle, head)
                whole = whole._replace(end=file.tell(), name=str(fields.get("name", "")))
                return _with_own(whole, file) if has_times else whole
            offset, size = file.tell(), _number(head, "size", MOST_BYTES)
            if kind == "bundle":
                bundle = offset, size
            else:
                entries.append(_change(head, offset, size))
                if len(entries) > MOST_ENTRIES:
                    raise Untrue(f"more than {MOST_ENTRIES} changes")
            file.seek(size, os.SEEK_CUR)
    raise Untrue("it ends early")


def with_times(
    changes: Changes,
    times: Mapping[str, Times] | None,
    hidden: Mapping[str, str] | None = None,
) -> Changes:
    """`changes` with the times of the host's files and what was hidden, which are appended to its file.

    Without them, the stream has no times that can be trusted.

    :param times: None if they are not known
    :param hidden: paths of the host that were hidden from the sandbox, each with the reason; None for none
    """
    entries = times and {
        entry.path: times[entry.path] for entry in changes.entries if entry.path in times
    }
    with open(changes.path, "r+b") as file:
        file.truncate(changes.end)
        file.seek(changes.end)
        own = {"times": entries, "hidden": dict(hidden or {})}
        file.write(json.dumps(own).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return changes._replace(times=entries, hidden=hidden or {})


def _with_own(changes: Changes, file: BinaryIO) -> Changes:
    """`changes` with the times and hidden files that were appended to the collected file here; unchanged if unreadable."""
    try:
        own = json.loads(file.read(MOST_BYTES))
        times = own["times"]
        times = times and {path: Times(*map(int, pair)) for path, pair in times.items()}
        hidden = {str(path): str(why) for path, why in own.get("hidden", {}).items()}
        return changes._replace(times=times, hidden=hidden)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return changes


def _whole(
    path: str,
    workspace: str,
    container: str,
    started: int,
    entries: list[Change],
    bundle: tuple[int, int] | None,
    end: dict[str, Any],
) -> Changes:
    if end.get("torn") is True:
        raise NotWhole
    if len({(e.path, e.kind == "gone") for e in entries}) != len(entries):
        raise Untrue("one path twice")
    skipped = end.get("skipped")
    if not isinstance(skipped, list) or not all(isinstance(name, str) for name in skipped):
        raise Untrue("no list of what it skipped")
    return Changes(
        path,
        workspace,
        container,
        started,
        tuple(sorted(entries)),
        bundle,
        tuple(_decode(name) for name in skipped[:50]),
        _number(end, "more", 1 << 40),
        str(end.get("problem", ""))[:500],
    )


def _heads(file: BinaryIO) -> Iterator[dict[str, Any]]:
    while True:
        yield _object(file)


def _object(file: BinaryIO) -> dict[str, Any]:
    line = file.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise Untrue("it ends early" if len(line) < _LONGEST_LINE else "a line is too long")
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise Untrue("a line is no JSON") from None
    if not isinstance(value, dict):
        raise Untrue("a line is no object")
    return value


def _change(head: dict[str, Any], offset: int, size: int) -> Change:
    kind, path = head.get("kind"), head.get("path")
    if kind not in _KINDS or not isinstance(path, str):
        raise Untrue("a change of no kind that we know")
    if size > (LARGEST if kind == "file" else 4096 if kind == "link" else 0):
        raise Untrue("more content than its kind has")
    mode, mtime = _number(head, "mode", 0o777), _number(head, "mtime", 1 << 63)
    return Change(_decode(path, is_path=True), cast("Kind", kind), mode, mtime, offset, size)


def _decode(text: str, *, is_path: bool = False) -> str:
    """A path as text of this machine; the stream has it as one character for each byte."""
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        raise Untrue("a path that is no bytes") from None
    parts = data.split(b"/")
    odd = any(part in (b"", b".", b"..") or len(part) > _LONGEST_NAME for part in parts)
    if is_path and (odd or b"\0" in data or len(data) > 4096):
        raise Untrue("a path that leads out of the workspace")
    return os.fsdecode(data)


def _number(head: dict[str, Any], key: str, most: int) -> int:
    number = head.get(key, 0)
    if type(number) is not int or not 0 <= number <= most:
        raise Untrue(f"`{key}` is no number that it can be")
    return number
