"""Copies files between git directories, of which neither is trusted: links and what is no file are left out."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.files import reading
from sandboxd.plan import beneath

_LONGEST_PATH = 1000
_CHUNK = 1 << 20


class Owner(NamedTuple):
    """User and group id for files that are made; -1 means those of this process."""

    uid: int = -1
    gid: int = -1


def owner_of(folder: str) -> Owner:
    """The owner of `folder` if this process is root and so can give files away; else -1 for both ids."""
    if os.geteuid() != 0:
        return Owner()
    status = os.lstat(folder)
    return Owner(status.st_uid, status.st_gid)


def copy_file(
    source: int,
    target: int,
    path: str,
    largest: int,
    owner: Owner,
    change: Callable[[bytes], bytes] | None = None,
) -> bool:
    """Copy the file `path` below the open folder `source` to the same path below `target`, with its times.

    The times count: git compares those of an index with those of the files that it names. The copy
    appears as a whole, in place of what was there.

    :param change: called for each line; what it returns is written
    :returns: False where `path` is no regular file, leads over a link, or is larger than `largest` bytes
    :raises OSError: it cannot be written
    """
    with contextlib.ExitStack() as stack:
        try:
            descriptor = _open(source, path)
        except (OSError, SandboxdError):
            return False
        reader = stack.enter_context(reading(descriptor))
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > largest:
            return False
        folder = stack.enter_context(open_parent(target, path, owner))
        name = os.path.basename(path)
        with _new_file(folder, name, owner) as writer:
            left = largest
            read = reader.read if change is None else reader.readline
            while left and (chunk := read(min(_CHUNK, left))):
                writer.write(chunk if change is None else change(chunk))
                left -= len(chunk)
            writer.flush()
            os.utime(writer.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))
    return True


def write_file(target: int, path: str, content: bytes, owner: Owner) -> None:
    """Write `content` to `path` below the open folder `target`, replacing an existing file atomically.

    :raises OSError: it cannot be written
    :raises UsageError: a link is on the way
    """
    with (
        open_parent(target, path, owner) as folder,
        _new_file(folder, os.path.basename(path), owner) as file,
    ):
        file.write(content)


def make_folder(target: int, path: str, owner: Owner) -> None:
    """Make the folder `path` below `target`, and those above it."""
    with open_parent(target, f"{path}/.", owner):
        pass


def files_below(root: int, path: str, most: int) -> Iterator[str]:
    """The paths of regular files in the folder `path` below `root`, at most `most` entries; no link is followed."""
    folders = [path]
    while folders:
        folder = folders.pop()
        with contextlib.suppress(OSError, SandboxdError):
            for name, mode in _entries(root, folder):
                most -= 1
                if most < 0:
                    return
                below = f"{folder}/{name}"
                if stat.S_ISDIR(mode) and len(below) < _LONGEST_PATH:
                    folders.append(below)
                elif stat.S_ISREG(mode):
                    yield below


def copy_tree(
    source: int,
    target: int,
    path: str,
    owner: Owner,
    *,
    largest: int,
    in_all: int,
    most: int,
    wanted: Callable[[str], bool] = lambda _: True,
    change: Callable[[bytes], bytes] | None = None,
) -> None:
    """Copy the files in the folder `path` below `source` for which `wanted` returns True.

    :param largest: size limit of one file in bytes; a larger one is left out
    :param in_all: size limit of all files together in bytes; a file that no longer fits is left out
    :param most: the number of entries that are looked at
    :param wanted: called with each file's path below `source`
    :param change: see `copy_file`
    """
    for file in files_below(source, path, most):
        if not wanted(file):
            continue
        copied = copy_file(source, target, file, min(largest, in_all), owner, change)
        if copied:
            with beneath.parent_of(target, file, create=False) as folder:
                in_all -= os.lstat(os.path.basename(file), dir_fd=folder).st_size


@contextlib.contextmanager
def open_parent(root: int, path: str, owner: Owner) -> Iterator[int]:
    """A descriptor of the folder that contains `path` below `root`; missing folders are made. No link is followed.

    :raises UsageError: a link or a file is on the way
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    current = os.dup(root)
    try:
        for part in path.split("/")[:-1]:
            try:
                os.mkdir(part, 0o755, dir_fd=current)
                is_new = True
            except FileExistsError:
                is_new = False
            try:
                below = os.open(part, flags, dir_fd=current)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENOTDIR):
                    raise beneath.link_on_the_way(part) from None
                raise
            os.close(current)
            current = below
            if is_new and owner.uid != -1:
                os.fchown(current, owner.uid, owner.gid)
        yield current
    finally:
        os.close(current)


@contextlib.contextmanager
def _new_file(folder: int, name: str, owner: Owner) -> Iterator[IO[bytes]]:
    """A file that takes the name `name` in `folder` when the block ends well."""
    # A git directory has thousands of files, and is made again where a crash of the machine leaves a part.
    with beneath.replacing(folder, name, 0o644, synced=False) as file:
        if owner.uid != -1:
            os.fchown(file.fileno(), owner.uid, owner.gid)
        yield file


def _open(root: int, path: str) -> int:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with beneath.parent_of(root, path, create=False) as folder:
        return os.open(os.path.basename(path), flags, dir_fd=folder)


def _entries(root: int, path: str) -> list[tuple[str, int]]:
    """Name and mode of each entry of a folder below `root`, sorted."""
    with (
        beneath.parent_of(root, f"{path}/.", create=False) as folder,
        os.scandir(folder) as entries,
    ):
        return sorted((e.name, e.stat(follow_symlinks=False).st_mode) for e in entries)


def remove_tree(folder: str) -> None:
    """Remove a folder of sandboxd's own with all in it, files that a sandbox made included; no link is followed.

    What cannot be removed stays. Nothing recurses: a sandbox can nest folders without end.
    """
    with contextlib.suppress(OSError, SandboxdError):
        with beneath.open_folder(folder) as root:
            waiting = _removed_from(root, root)
            while waiting:
                name = waiting.pop()
                with contextlib.suppress(OSError), _opened(root, name) as below:
                    waiting += _removed_from(below, root)
                    os.rmdir(name, dir_fd=root)
        os.rmdir(folder)


def _removed_from(folder: int, root: int) -> list[str]:
    """Remove all files in a folder, and move the folders in it to `root`, where it returns their new names."""
    moved: list[str] = []
    for name in os.listdir(folder):
        try:
            os.unlink(name, dir_fd=folder)
        except (IsADirectoryError, PermissionError):
            with contextlib.suppress(OSError):
                new = secrets.token_hex(16)
                os.rename(name, new, src_dir_fd=folder, dst_dir_fd=root)
                moved.append(new)
    return moved


@contextlib.contextmanager
def _opened(root: int, name: str) -> Iterator[int]:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, dir_fd=root)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
