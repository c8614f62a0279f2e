"""Reads, saves and replaces files below a workspace without following symbolic links.

The workspace belongs to code that may be hostile, and its links may change between a check and a write. So each folder
is opened from the one above it, and files are named relative to their open folder.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from typing import IO

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.files import MAX_BYTES, reading


@contextlib.contextmanager
def open_folder(path: str) -> Iterator[int]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"`{path}` is not a folder that can be opened: {_reason(error)}") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def parent_of(root: int, path: str, *, create: bool) -> Iterator[int]:
    """Open the folder that contains `path` below the open folder `root`, without following links.

    :param create: whether to create missing folders
    """
    current = os.dup(root)
    try:
        walked = ""
        for part in path.split("/")[:-1]:
            walked = f"{walked}/{part}" if walked else part
            if create:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, 0o755, dir_fd=current)
            try:
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                below = os.open(part, flags, dir_fd=current)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENOTDIR):
                    raise link_on_the_way(walked) from None
                raise
            os.close(current)
            current = below
        yield current
    finally:
        os.close(current)


def link_on_the_way(path: str) -> UsageError:
    """The error for a path that leads through `path`, which is not a folder."""
    return UsageError(
        f"`{path}` is a symbolic link or no folder, so nothing below it is read or written",
        f"replace `{path}` by a folder",
    )


def read_text(folder: int, path: str) -> str | None:
    """The text of a file; None if it does not exist. Bytes that are not UTF-8 become surrogates, so that they count as
    an edit.
    """
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(os.path.basename(path), flags, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _in_the_way(path, error.errno) from None
    with reading(descriptor) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _in_the_way(path, None)
        return file.read(MAX_BYTES + 1).decode("utf-8", "surrogateescape")


def _in_the_way(path: str, code: int | None) -> UsageError:
    if code in (errno.EACCES, errno.EPERM):
        return UsageError(f"cannot read `{path}`: permission denied", "correct its permissions")
    return UsageError(
        f"`{path}` is a symbolic link or no regular file, so it is not replaced",
        f"remove `{path}`, then run the command again",
    )


def keep(folder: int, path: str) -> str:
    """Save the user's version of a file under a free name, or find a copy with the same bytes; return the copy's name.

    Thanks to the second case, commands that are killed before they replace the file do not add a copy each time.
    """
    name = os.path.basename(path)
    for number in range(1, 1000):
        copy = f"{name}.yours" if number == 1 else f"{name}.yours-{number}"
        try:
            os.link(name, copy, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        except FileExistsError:
            if not _same(folder, name, copy):
                continue
        return f"{os.path.dirname(path)}/{copy}"
    raise OSError(errno.EEXIST, "too many kept versions")


def _same(folder: int, name: str, other: str) -> bool:
    """Whether two entries of a folder are regular files with the same bytes, as far as is read."""
    one, two = (os.lstat(entry, dir_fd=folder) for entry in (name, other))
    if not stat.S_ISREG(two.st_mode) or one.st_size != two.st_size:
        return False
    if (one.st_dev, one.st_ino) == (two.st_dev, two.st_ino):
        return True
    if one.st_size > MAX_BYTES:
        return False
    try:
        return read_text(folder, name) == read_text(folder, other)
    except UsageError:
        return False


def replace(folder: int, name: str, text: str, last_look: Callable[[], None]) -> None:
    """Replace a file atomically: readers see the old file or the new one, never a part.

    :param last_look: as in `replacing`
    """
    with replacing(folder, name, 0o644, last_look=last_look) as file:
        file.write(text.encode("utf-8", "surrogateescape"))


@contextlib.contextmanager
def replacing(
    folder: int,
    name: str,
    mode: int,
    *,
    synced: bool = True,
    last_look: Callable[[], None] = lambda: None,
) -> Iterator[IO[bytes]]:
    """A new file that replaces `name` when the block ends without an error; otherwise it is removed.

    :param synced: whether to flush to disk, so that after a crash of the machine the old or the new file is there, not
        an empty one
    :param last_look: called just before the replacement; if it raises, the old file stays
    """
    temporary = f"{_start_of_temporary(name)}{os.getpid()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary, dir_fd=folder)
    descriptor = os.open(temporary, flags, mode, dir_fd=folder)
    try:
        with open(descriptor, "wb") as file:
            yield file
            file.flush()
            if synced:
                os.fsync(file.fileno())
        last_look()
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise


def _start_of_temporary(name: str) -> str:
    """The part before the number of the process; a file system takes 255 bytes for a name in all."""
    return f".{os.fsdecode(os.fsencode(name)[:200])}."


def remove_leftovers(folder: int, name: str) -> None:
    """Remove the temporary files that `replace` of `name` left when its process was killed."""
    start = _start_of_temporary(name)
    for entry in os.listdir(folder):
        if not entry.startswith(start) or not entry.endswith(".tmp"):
            continue
        pid = entry.removeprefix(start).removesuffix(".tmp")
        if pid.isdecimal() and not _exists(int(pid)):
            with contextlib.suppress(OSError):
                os.unlink(entry, dir_fd=folder)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def cannot_write(path: str, error: OSError) -> EnvironmentFailure:
    hint = {
        errno.ENOSPC: "free some space, then run the command again",
        errno.EDQUOT: "free some of your quota, then run the command again",
        errno.EROFS: "the file system is mounted read-only: work on a copy, or mount it again",
        errno.EACCES: "correct the permissions of its folder",
    }.get(error.errno or 0, "correct that, then run the command again")
    return EnvironmentFailure(f"cannot write `{path}`: {_reason(error)}", hint)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def create(folder: int, name: str, content: bytes) -> None:
    """Create a file with `content`.

    :raises FileExistsError: the path exists
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(name, flags, 0o644, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError:
        os.unlink(name, dir_fd=folder)
        raise


def says(root: int, path: str, content: bytes) -> bool:
    """Whether `path` below the open folder `root` is a regular file that holds exactly `content`."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with parent_of(root, path, create=False) as folder:
        descriptor = os.open(os.path.basename(path), flags, dir_fd=folder)
    with reading(descriptor) as file:
        is_file = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
        return is_file and file.read(len(content) + 1) == content
