"""What a plan needs to know of the workspace on disk. Links are looked at, never followed."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.plan import beneath
from sandboxd.plan.hot_trees import KNOWN, State, Tree
from sandboxd.policy.protect import STUB_FILES, STUBS

ControlKind = Literal["directory", "file", "symlink", "other", "stub", "missing"]

# Listening sockets of editors and Git lie at the top or one level down; a workspace may hold a
# million files, and a plan must not wait for them.
_SOCKET_DEPTH = 2
_SOCKET_ENTRIES = 5000


class ControlFile(NamedTuple):
    """A file or folder that tools on the host act upon, by its path within the workspace.

    A ``stub`` is missing and can be made without a meaning of its own, to be pinned.
    """

    path: str
    kind: ControlKind


class WorkspaceFacts(NamedTuple):
    """`path` is absolute and free of links. `sockets_complete` is False when the search stopped early.

    `not_as_made` are files that a stub would stand for, and that say something else.
    """

    path: str
    owner_uid: int | None = None
    owner_gid: int | None = None
    control_files: tuple[ControlFile, ...] = ()
    sockets: tuple[str, ...] = ()
    sockets_complete: bool = True
    not_as_made: tuple[str, ...] = ()
    hot: tuple[Tree, ...] = ()
    """Folders that may be kept in memory."""

    def of_kind(self, kind: ControlKind) -> tuple[str, ...]:
        return tuple(file.path for file in self.control_files if file.kind == kind)

    @property
    def existing_control_files(self) -> tuple[str, ...]:
        """Control files that can be pinned, those to be made for that among them."""
        return tuple(f.path for f in self.control_files if f.kind in ("directory", "file", "stub"))


def survey(
    path: str, control_files: Iterable[str], hot: Iterable[str] | None = None
) -> WorkspaceFacts:
    """Look at the workspace `path` and at those `control_files` of it.

    :param hot: folders that are asked to be kept in memory; None: those that a file tells of
    """
    path = os.path.realpath(path)
    owner = _lstat(path)
    found: dict[str, ControlFile] = {}
    for candidate in control_files:
        file = _control_file(path, candidate)
        found.setdefault(file.path, file)
    sockets, complete = _sockets(path)
    return WorkspaceFacts(
        path=path,
        owner_uid=owner.st_uid if owner else None,
        owner_gid=owner.st_gid if owner else None,
        control_files=tuple(sorted(found.values())),
        sockets=tuple(sockets),
        sockets_complete=complete,
        not_as_made=tuple(
            file
            for file, made in STUB_FILES.items()
            if file in found and found[file].kind == "file" and not _says(path, file, made)
        ),
        hot=tuple(_hot(path) if hot is None else (Tree(name, _state(path, name)) for name in hot)),
    )


def _hot(workspace: str) -> Iterator[Tree]:
    for name, markers in KNOWN.items():
        for marker in markers:
            status = _lstat(os.path.join(workspace, marker))
            if status is not None and stat.S_ISREG(status.st_mode):
                yield Tree(name, _state(workspace, name), marker)
                break


def _state(workspace: str, path: str) -> State:
    """What is at `path`; no step of it follows a link."""
    parts = path.split("/")
    for depth in range(1, len(parts) + 1):
        full = os.path.join(workspace, *parts[:depth])
        status = _lstat(full)
        if status is None:
            return "missing" if depth == len(parts) else "in the way"
        if not stat.S_ISDIR(status.st_mode):
            return "in the way"
    try:
        with os.scandir(os.path.join(workspace, path)) as entries:
            return "content" if next(entries, None) is not None else "empty"
    except OSError:
        return "in the way"


def _control_file(workspace: str, relative: str) -> ControlFile:
    """What is at `relative`; a link or a file in the way is what there is (`.git` in a worktree)."""
    parts = relative.split("/")
    for depth in range(1, len(parts) + 1):
        part = "/".join(parts[:depth])
        status = _lstat(os.path.join(workspace, part))
        if status is None:
            parent = os.path.dirname(os.path.join(workspace, part))
            can_stub = part in STUBS and part == relative and os.access(parent, os.W_OK)
            return ControlFile(relative, "stub" if can_stub else "missing")
        kind = _kind(status.st_mode)
        if kind != "directory":
            return ControlFile(part, kind)
    return ControlFile(relative, "directory")


def _says(workspace: str, path: str, expected: bytes) -> bool:
    with contextlib.suppress(OSError, SandboxdError), beneath.open_folder(workspace) as root:
        return beneath.says(root, path, expected)
    return False


def _kind(mode: int) -> ControlKind:
    if stat.S_ISLNK(mode):
        return "symlink"
    if stat.S_ISDIR(mode):
        return "directory"
    return "file" if stat.S_ISREG(mode) else "other"


def _lstat(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except (OSError, ValueError):
        return None


def _sockets(workspace: str) -> tuple[list[str], bool]:
    """Sockets near the top, and whether the search was complete."""
    found: list[str] = []
    folders = [("", 0)]
    seen = 0
    while folders:
        folder, depth = folders.pop()
        try:
            entries = os.scandir(os.path.join(workspace, folder))
        except OSError:
            continue
        with entries:
            for entry in entries:
                seen += 1
                if seen > _SOCKET_ENTRIES:
                    return sorted(found), False
                name = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    if depth + 1 < _SOCKET_DEPTH:
                        folders.append((name, depth + 1))
                elif not entry.is_file(follow_symlinks=False) and _is_socket(workspace, name):
                    found.append(name)
    return sorted(found), True


def _is_socket(workspace: str, name: str) -> bool:
    status = _lstat(os.path.join(workspace, name))
    return status is not None and stat.S_ISSOCK(status.st_mode)
