"""Reads and writes a repository's refs on the host as files, without running git.

A config in `.git` can name programs that git starts (hooks, `core.alternateRefsCommand`, `ext::` remotes), and the
repositories here are not trusted.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import stat
from typing import TYPE_CHECKING

from sandboxd.errors import SandboxdError
from sandboxd.files import reading
from sandboxd.plan import beneath
from sandboxd.plan.linked_worktree import repository_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?\Z")
_BRANCH = re.compile(r"refs/heads/[^\x00-\x20\x7f~^:?*\[\\]{1,1000}\Z")
"""The syntax of git-check-ref-format(1); file systems do not allow longer names."""
_SHA256 = re.compile(r"(?im)^[^\S\n]*+objectformat\s*+=\s*+\"?sha256")
_MOST_REFS = 2000
_MOST_BYTES = 8 << 20


def known_commits(workspace: str) -> list[str]:
    """Commit ids that refs of the workspace's repository name; [] without a repository."""
    ids: set[str] = set()
    workspace = repository_folder(workspace)
    with contextlib.suppress(OSError, SandboxdError), beneath.open_folder(workspace) as root:
        ids |= _ids(_read(root, ".git/packed-refs"))
        ids |= _ids(_read(root, ".git/HEAD"))
        for path in _loose(root):
            if len(ids) >= _MOST_REFS:
                break
            ids |= _ids(_read(root, path))
    return sorted(ids)[:_MOST_REFS]


def head(workspace: str) -> tuple[str, str]:
    """The checked-out branch as a full ref name, and its commit's id; '' for each that does not exist."""
    with contextlib.suppress(OSError, SandboxdError), beneath.open_folder(workspace) as root:
        text = _read(root, ".git/HEAD").strip()
        ref = text.removeprefix("ref: ")
        if ref == text:
            return "", text if _OID.match(text) else ""
        if not _BRANCH.match(ref) or ".." in ref:
            return "", ""
        packed = dict(
            line.split(" ", 1)[::-1]
            for line in _read(root, ".git/packed-refs").split("\n")
            if " " in line and line[0] not in "#^"
        )
        commit = _read(root, f".git/{ref}").strip() or packed.get(ref, "")
        return ref, commit if _OID.match(commit) else ""
    return "", ""


def uses_sha256(workspace: str) -> bool:
    """Whether object ids of the workspace's repository are SHA-256; if it has none yet, by its config."""
    ids = known_commits(workspace)
    if ids:
        return len(ids[0]) == 64
    folder = repository_folder(workspace)
    with contextlib.suppress(OSError, SandboxdError), beneath.open_folder(folder) as root:
        return _SHA256.search(_read(root, ".git/config")) is not None
    return False


def write(workspace: str, commits: Iterable[tuple[str, str]], below: str) -> list[str]:
    """Write refs below `refs/sandboxd/<below>`; return their full names.

    :param commits: (name below that, commit id); special characters in a name are replaced
    :raises FileExistsError: that folder exists, for other refs
    """
    written: list[str] = []
    with beneath.open_folder(workspace) as root:
        owner = os.fstat(root)
        with folder_of(root, f".git/refs/sandboxd/{below}", owner) as above:
            os.mkdir(below, 0o755, dir_fd=above)
            _give(above, below, owner)
        used: set[str] = set()
        folders: set[str] = set()
        for name, oid in commits:
            plain = _free("/".join(_plain(part) for part in name.split("/")), used, folders)
            parts = ["sandboxd", below, *plain.split("/")]
            path = "/".join([".git", "refs", *parts])
            with folder_of(root, path, owner) as folder:
                beneath.create(folder, parts[-1], oid.encode() + b"\n")
                _give(folder, parts[-1], owner)
            written.append(f"refs/{'/'.join(parts)}")
    return written


@contextlib.contextmanager
def folder_of(root: int, path: str, owner: os.stat_result) -> Iterator[int]:
    """The open folder at `path`; missing folders are created with the workspace's owner."""
    parts = path.split("/")
    for depth in range(1, len(parts)):
        part = "/".join(parts[:depth])
        above = beneath.parent_of(root, part, create=False)
        with above as folder, contextlib.suppress(FileExistsError):
            os.mkdir(parts[depth - 1], 0o755, dir_fd=folder)
            _give(folder, parts[depth - 1], owner)
    with beneath.parent_of(root, path, create=False) as folder:
        yield folder


def _give(folder: int, name: str, owner: os.stat_result) -> None:
    """Give a file that root made to the owner of the workspace."""
    if os.geteuid() == 0:
        os.chown(name, owner.st_uid, owner.st_gid, dir_fd=folder, follow_symlinks=False)


def give(descriptor: int, owner: os.stat_result) -> None:
    """Make the owner of the workspace the owner of an open file that root created."""
    if os.geteuid() == 0:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _plain(part: str) -> str:
    text = re.sub(r"[^A-Za-z0-9_.+-]", "-", part).lstrip(".-") or "x"
    return text.removesuffix(".lock").rstrip(".").replace("..", "-") or "x"


def _free(name: str, used: set[str], folders: set[str]) -> str:
    """`name`, with a number if it is used already or clashes with a folder of refs."""

    def clashes(name: str) -> bool:
        return name in used or name in folders or not used.isdisjoint(_above(name))

    if clashes(name):
        plain = name.replace("/", "-")
        name = next(free for n in itertools.count(2) if not clashes(free := f"{plain}-{n}"))
    used.add(name)
    folders.update(_above(name))
    return name


def _above(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def _ids(text: str) -> set[str]:
    words = (line.split(" ", 1)[0].lstrip("^") for line in text.split("\n"))
    return {word for word in words if _OID.match(word)}


def _read(root: int, path: str) -> str:
    with (
        contextlib.suppress(OSError, SandboxdError),
        beneath.parent_of(root, path, create=False) as f,
    ):
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with reading(os.open(os.path.basename(path), flags, dir_fd=f)) as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return file.read(_MOST_BYTES).decode("ascii", "replace")
    return ""


def _loose(root: int) -> list[str]:
    """Paths of loose refs; no step follows a link."""
    paths: list[str] = []
    folders = [".git/refs"]
    while folders and len(paths) < _MOST_REFS:
        path = folders.pop()
        with (
            contextlib.suppress(OSError, SandboxdError),
            beneath.parent_of(root, path + "/x", create=False) as folder,
            os.scandir(folder) as entries,
        ):
            for entry in entries:
                below = f"{path}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    folders.append(below)
                elif entry.is_file(follow_symlinks=False):
                    paths.append(below)
    return paths
