"""Reads at which paths the index of a work tree names other repositories, such as submodules. Git goes into each."""

from __future__ import annotations

import functools
import hashlib
import os
import posixpath
import stat
from typing import NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.files import reading
from sandboxd.plan import beneath
from sandboxd.plan.linked_worktree import linked_worktree, separate_repository
from sandboxd.syntax import git_config, git_index

_LARGEST = 256 << 20
_MOST_REMEMBERED = 32
_MOST_INDEXES = 2
"""Indexes whose names are remembered: a program inside can have them asked for again and again, and delay a halt by it."""


class Index(NamedTuple):
    """The index of a work tree. `own` is the work tree's git directory, `common` the one with the config; both are
    absolute.
    """

    own: str
    common: str

    @property
    def path(self) -> str:
        """The absolute path of the index file."""
        return posixpath.join(self.own, "index")

    @property
    def configs(self) -> tuple[str, ...]:
        """Absolute paths of the config files of the repository and of this work tree; they need not exist."""
        return posixpath.join(self.common, "config"), posixpath.join(self.own, "config.worktree")


def index_of(workspace: str) -> Index:
    """The index of the work tree `workspace`, an absolute path without links; the file need not exist."""
    linked = linked_worktree(workspace)
    if linked is None:
        own = separate_repository(workspace) or posixpath.join(workspace, ".git")
        return Index(own, own)
    return Index(posixpath.join(linked.common, "worktrees", linked.name), linked.common)


def paths_in(index: Index) -> tuple[str, ...]:
    """The paths at which git enters repositories, as the index names them; () if there is no index.

    :raises OSError: the index cannot be read
    :raises ValueError: it is not valid, or too large
    """
    identity = _identity(index)
    return _paths(index, identity) if identity else ()


def _identity(index: Index) -> tuple[int, ...]:
    """What every change of the index changes; () if there is no index."""
    try:
        status = os.lstat(index.path)
    except FileNotFoundError:
        return ()
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return (status.st_dev, status.st_ino, status.st_size, *times)


def names_in(index: Index) -> frozenset[str]:
    """The paths that git tracks, as the index names them; none if there is no index.

    :raises OSError: the index cannot be read
    :raises ValueError: it is not valid, or too large
    """
    identity = _identity(index)
    return _names(index, identity) if identity else frozenset()


def folders_in(index: Index) -> frozenset[str]:
    """The folders of what git tracks, each with those above it but the top.

    :raises OSError: the index cannot be read
    :raises ValueError: it is not valid, or too large
    """
    identity = _identity(index)
    return _folders(index, identity) if identity else frozenset()


def tops_in(index: Index) -> frozenset[str]:
    """The files and folders at the top of the work tree that git tracks.

    :raises OSError: the index cannot be read
    :raises ValueError: it is not valid, or too large
    """
    identity = _identity(index)
    return _tops(index, identity) if identity else frozenset()


@functools.lru_cache(_MOST_INDEXES)
def _tops(index: Index, identity: tuple[int, ...]) -> frozenset[str]:
    return frozenset(name.split("/", 1)[0] for name in _names(index, identity))


@functools.lru_cache(_MOST_INDEXES)
def _folders(index: Index, identity: tuple[int, ...]) -> frozenset[str]:
    folders: set[str] = set()
    for name in _names(index, identity):
        folder = posixpath.dirname(name)
        while folder and folder not in folders:
            folders.add(folder)
            folder = posixpath.dirname(folder)
    return frozenset(folders)


@functools.lru_cache(_MOST_INDEXES)
def _names(index: Index, _identity: tuple[int, ...]) -> frozenset[str]:
    data = _read(index.path)
    sha256 = is_sha256(index.common)
    names = git_index.names(data, sha256)
    if shared := git_index.shared_index(data, sha256):
        names |= git_index.names(_read(posixpath.join(index.own, shared)), sha256)
    return frozenset(os.fsdecode(name) for name in names)


def has_content(index: Index, path: str, data: bytes) -> bool:
    """Whether `data` is what the index has for the file `path`; False if that cannot be told, as behind a filter."""
    try:
        sha256 = is_sha256(index.common)
        oid = git_index.object_of(_read(index.path), sha256, os.fsencode(path))
    except (OSError, ValueError):
        return False
    blob = b"blob %d\0%b" % (len(data), data)
    return oid == (hashlib.sha256 if sha256 else hashlib.sha1)(blob).digest()


@functools.lru_cache(_MOST_REMEMBERED)
def _paths(index: Index, _identity: tuple[int, ...]) -> tuple[str, ...]:
    sha256 = is_sha256(index.common)
    data = _read(index.path)
    shared = _shared(index.own, data, sha256)
    return tuple(dict.fromkeys((*git_index.gitlinks(data, sha256), *shared)))


def _shared(own: str, data: bytes, sha256: bool) -> tuple[str, ...]:
    """What the part of a split index names that lies in another file; those that were taken out since are among it."""
    with os.scandir(own) as entries:
        # To look for it in the index costs time for each of its entries.
        if not any(entry.name.startswith("sharedindex.") for entry in entries):
            return ()
    name = git_index.shared_index(data, sha256)
    return git_index.gitlinks(_read(posixpath.join(own, name)), sha256) if name else ()


def is_sha256(common: str) -> bool:
    """Whether the ids of a repository are of SHA-256; git reads that from its own config alone."""
    # The host may keep it elsewhere, and have a link here.
    folder, name = posixpath.split(os.path.realpath(posixpath.join(common, "config")))
    try:
        with beneath.open_folder(folder) as root:
            text = beneath.read_text(root, name) or ""
    except SandboxdError as error:
        raise ValueError(error.message) from None
    values = [
        e.value for e in git_config.parse(text).entries if e.name == "extensions.objectformat"
    ]
    return (values[-1] or "").lower() == "sha256" if values else False


def _read(path: str) -> bytes:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    with reading(descriptor) as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            raise ValueError("it is no regular file, or too large")
        return file.read(_LARGEST)
