"""Runs inside a sandbox: writes to stdout what differs between its copy of the workspace and the original.

Only the standard library, Python 3.8 or newer; it is sent as text, with `inside.others` and `git_inside` before
it. What it says is
not believed: the host compares all of it with its own files (`review.changes`, `review.weigh`).

The stream is a line of JSON for each thing, with as many bytes after it as its `size` says.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys

# Not `hashlib`, which brings a library of 5 MB where our own Python goes inside.
from _blake2 import blake2b
from typing import Any

from sandboxd.inside.others import stop_others
from sandboxd.review.git_inside import bundle_of, ignored_names

CHUNK = 1 << 16
DIGEST = 16


def main(task: dict[str, Any]) -> None:
    out = sys.stdout.buffer
    out.write(task["nonce"].encode() + b"\n")
    copy = os.fsencode(task["copy"])
    if task["mark"] and not os.path.exists(task["mark"]):
        emit(out, {"kind": "end", "torn": True}, b"")
        return
    if task["stop_others"]:
        stop_others()
    if task.get("now") is not None:
        compare(out, task, copy)
        return
    state: dict[str, Any] = {"ignored": ignored_names(copy, task["made_by_tools"]), "skipped": []}
    source = os.fsencode(task["source"])
    listed = task.get("listed")
    original = Original(source) if listed is None else Listed(listed)
    count = walk(out, task, state, original, copy)
    # The repository of a linked work tree is mounted elsewhere: its `.git` here leads nowhere.
    repository = os.fsencode(task["repository"]) if os.path.isdir(task["repository"]) else source
    bundle, problem = bundle_of(task, repository, copy, count > 0)
    if bundle:
        emit(out, {"kind": "bundle"}, bundle)
    skipped = sorted(name.decode("latin-1") for name in state["skipped"])
    end = {"kind": "end", "count": count, "skipped": skipped[:50], "more": len(skipped[50:])}
    emit(out, dict(end, problem=problem), b"")
    out.flush()


def compare(out: Any, task: dict[str, Any], copy: bytes) -> None:
    """Say which paths are as they were copied or as the host has them `now`, and which folders hold others."""
    now = {path: fields for path, fields in task["now"].items() if fields}
    answer: dict[str, Any] = {"kind": "end"}
    answer["held"] = [
        path
        for path in task["vanished"]
        for name in entries(copy, path.encode("latin-1"))
        if f"{path}/{name.decode('latin-1')}" not in task["now"]
    ]
    for name, original in (("untouched", Listed(task["listed"])), ("same", Listed(now))):
        answer[name] = [p for p in task["now"] if is_as(original, copy, p.encode("latin-1"))]
    emit(out, answer, b"")


def is_as(original: Any, copy: bytes, path: bytes) -> bool:
    """Whether `path` is what `original` has there, or nothing where that has nothing."""
    full = os.path.join(copy, path)
    old = original.entries(os.path.dirname(path)).get(os.path.basename(path))
    if not os.path.lexists(full):
        return old is None
    return not original.differs(copy, path, old, os.lstat(full))


def emit(out: Any, head: dict[str, Any], data: bytes) -> None:
    head["size"] = len(data)
    out.write(json.dumps(head).encode() + b"\n" + data)


class Original:
    """The workspace that was copied, in a folder beside the copy."""

    def __init__(self, source: bytes) -> None:
        self.source = source

    def entries(self, folder: bytes) -> dict[bytes, Any]:
        return entries(self.source, folder)

    def differs(self, copy: bytes, path: bytes, old: Any, new: Any) -> bool:
        return differs(self.source, copy, path, old, new)


class ListedStatus:
    """The status of one listed path, by the names of `os.stat_result`."""

    def __init__(self, mode: int, size: int, mtime: int, content: str) -> None:
        self.st_mode, self.st_size, self.st_mtime_ns = mode, size, mtime
        self.content = content


class Listed:
    """The workspace that was copied, as a list: it is on another machine.

    :param listed: mode, size, time and content of each path, whose characters are bytes; the content of a file
        is its BLAKE2b of `DIGEST` bytes, that of a link where it leads
    """

    def __init__(self, listed: dict[str, Any]) -> None:
        self.folders: dict[bytes, dict[bytes, Any]] = {}
        for text, fields in listed.items():
            folder, _, name = text.encode("latin-1").rpartition(b"/")
            self.folders.setdefault(folder, {})[name] = ListedStatus(*fields)

    def entries(self, folder: bytes) -> dict[bytes, Any]:
        return self.folders.get(folder, {})

    def differs(self, copy: bytes, path: bytes, old: Any, new: Any) -> bool:
        if old is None or stat.S_IFMT(old.st_mode) != stat.S_IFMT(new.st_mode):
            return True
        full = os.path.join(copy, path)
        if stat.S_ISLNK(new.st_mode):
            return bool(os.readlink(full) != old.content.encode("latin-1"))
        if not stat.S_ISREG(new.st_mode):
            return False
        if is_changed(old, new):
            return True
        if new.st_mtime_ns in (old.st_mtime_ns, whole_second(old)):
            return False
        digest = blake2b(digest_size=DIGEST)
        try:
            with open(full, "rb") as file:
                while True:
                    data = file.read(CHUNK)
                    if not data:
                        return bool(digest.hexdigest() != old.content)
                    digest.update(data)
        except OSError:
            return True


def walk(out: Any, task: dict[str, Any], state: dict[str, Any], original: Any, copy: bytes) -> int:
    """Compare both trees without following links; not recursive, since trees may be deep."""
    count = 0
    folders = [b""]
    while folders:
        folder = folders.pop()
        before, after = original.entries(folder), entries(copy, folder)
        for name in sorted(set(before) | set(after)):
            path = folder + b"/" + name if folder else name
            old, new = before.get(name), after.get(name)
            if name == b".git":
                if folder and new is not None and stat.S_ISDIR(new.st_mode):
                    state["skipped"].append(path)
                continue
            if path in state["ignored"]:
                if not same_file(original, copy, path, old, new):
                    state["skipped"].append(path)
                continue
            old_folder = old is not None and stat.S_ISDIR(old.st_mode)
            new_folder = new is not None and stat.S_ISDIR(new.st_mode)
            if old_folder or new_folder:
                folders.append(path)
            if old is not None and not old_folder and (new is None or new_folder):
                emit(out, describe(path, "gone", old), b"")
                count += 1
            if new is not None and not new_folder and original.differs(copy, path, old, new):
                send(out, task, copy, path, new)
                count += 1
    return count


def entries(root: bytes, folder: bytes) -> dict[bytes, os.stat_result]:
    statuses: dict[bytes, os.stat_result] = {}
    with contextlib.suppress(OSError), os.scandir(os.path.join(root, folder)) as listing:
        statuses.update((entry.name, entry.stat(follow_symlinks=False)) for entry in listing)
    return statuses


def same_file(original: Any, copy: bytes, path: bytes, old: Any, new: Any) -> bool:
    """Whether `path` is the same file or link in both trees; never of folders."""
    if old is None or new is None or stat.S_ISDIR(old.st_mode) or stat.S_ISDIR(new.st_mode):
        return False
    return not original.differs(copy, path, old, new)


def differs(
    source: bytes, copy: bytes, path: bytes, old: os.stat_result | None, new: os.stat_result
) -> bool:
    if old is None or stat.S_IFMT(old.st_mode) != stat.S_IFMT(new.st_mode):
        return True
    if stat.S_ISLNK(new.st_mode):
        return os.readlink(os.path.join(source, path)) != os.readlink(os.path.join(copy, path))
    if not stat.S_ISREG(new.st_mode):
        return False
    if is_changed(old, new):
        return True
    if new.st_mtime_ns in (old.st_mtime_ns, whole_second(old)):
        return False
    try:
        with (
            open(os.path.join(source, path), "rb") as one,
            open(os.path.join(copy, path), "rb") as two,
        ):
            while True:
                left, right = one.read(CHUNK), two.read(CHUNK)
                if left != right:
                    return True
                if not left:
                    return False
    except OSError:
        return True


def is_changed(old: Any, new: os.stat_result) -> bool:
    """Whether the size or the executable bit of a file differs between original and copy."""
    return bool(old.st_size != new.st_size or (old.st_mode ^ new.st_mode) & 0o111)


def whole_second(old: Any) -> int:
    """The modification time of a file in nanoseconds, cut to a whole second as `tar` stores it."""
    return int(old.st_mtime_ns - old.st_mtime_ns % 10**9)


def describe(path: bytes, kind: str, status: os.stat_result) -> dict[str, Any]:
    return {
        "kind": kind,
        "path": path.decode("latin-1"),
        "mode": status.st_mode & 0o777,
        "mtime": max(0, status.st_mtime_ns),
    }


def send(out: Any, task: dict[str, Any], copy: bytes, path: bytes, status: os.stat_result) -> None:
    full = os.path.join(copy, path)
    if stat.S_ISLNK(status.st_mode):
        emit(out, describe(path, "link", status), os.readlink(full))
    elif not stat.S_ISREG(status.st_mode):
        emit(out, describe(path, "other", status), b"")
    elif status.st_size > task["largest"]:
        emit(out, dict(describe(path, "large", status), length=status.st_size), b"")
    else:
        try:
            with open(full, "rb") as file:
                data = file.read(task["largest"])
        except OSError:
            emit(out, describe(path, "unreadable", status), b"")
        else:
            emit(out, describe(path, "file", status), data)
