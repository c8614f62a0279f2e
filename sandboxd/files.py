"""Reads files that may be hostile, and writes sandboxd's own: all other code reads and writes files by this module."""

from __future__ import annotations

import codecs
import os
import stat
import sys

from sandboxd.errors import EnvironmentFailure, MissingFileError, UnreadableError, too_large
from sandboxd.text import SourceText

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

# The largest config in the 2,000 real projects we looked at has 64 KiB; whatever a file holds, a
# check of it must take less than a second. Most kinds of file have a lower limit of their own.
MAX_BYTES = 1024 * 1024
_HIGHEST = 40

# The config of a project. It stands here so that a search for it need not import its reader.
CONFIG_NAME = "sandboxd.toml"


def read_source(path: str, shown_as: str | None = None, limit: int = MAX_BYTES) -> SourceText:
    """Read a regular file of at most `limit` bytes as UTF-8 text, a byte order mark removed.

    O_NONBLOCK and the check on the open descriptor keep a FIFO or a device from blocking us or
    from being swapped in between a check and the open.

    :raises UnreadableError: the file is missing, not regular, too large, or not UTF-8
    """
    return SourceText(shown_as or path, decode(read_bytes(path, limit)))


def read_bytes(path: str, limit: int = MAX_BYTES) -> bytes:
    """The content of a regular file of at most `limit` bytes.

    :raises UnreadableError: the file is missing, not regular or too large
    """
    data = read_start(path, limit + 1)
    if len(data) > limit:
        raise UnreadableError(*too_large(limit))
    return data


def read_start(path: str, size: int) -> bytes:
    """The first `size` bytes of a regular file; its whole content if it is shorter.

    :raises UnreadableError: the file is missing or not regular
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except FileNotFoundError:
        raise MissingFileError("check the path and its permissions") from None
    except OSError as error:
        raise UnreadableError(_open_reason(error), "check the path and its permissions") from None
    except ValueError:
        raise UnreadableError("path holds a NUL byte", "check the path") from None
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise UnreadableError(f"is {_kind(mode)}, not a regular file", "name a file")
        with open(descriptor, "rb", closefd=False) as file:
            parts: list[bytes] = []
            try:
                # Of a limit of 64 MiB so many would be set aside for a file of some bytes.
                while size > 0 and (part := file.read(min(size, MAX_BYTES))):
                    parts.append(part)
                    size -= len(part)
                return b"".join(parts)
            except OSError as error:
                raise UnreadableError(_open_reason(error), "check the disk") from None
    finally:
        os.close(descriptor)


def reading(descriptor: int) -> BinaryIO:
    """A file object for an open descriptor, which is closed with it, and also if this raises.

    :raises OSError: it is a folder
    """
    try:
        return open(descriptor, "rb")
    except OSError:
        # `open` leaves what it was given open.
        os.close(descriptor)
        raise


def decode(data: bytes) -> str:
    """`data` decoded as UTF-8, without a byte order mark.

    :raises UnreadableError: the bytes are UTF-16, UTF-32, binary or invalid UTF-8
    """
    if data.startswith(codecs.BOM_UTF8):
        data = data[len(codecs.BOM_UTF8) :]
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnreadableError("is UTF-16 or UTF-32 text, not UTF-8", "save it as UTF-8")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        bad = data[error.start]
        raise UnreadableError(
            f"is not UTF-8 text: byte `0x{bad:02x}` at offset {error.start}", "save it as UTF-8"
        ) from None


def find_upward(start: str, name: str) -> str | None:
    """The path of the file `name` in `start` or the closest folder above it; None if there is none.

    A file that another user put into a folder that everybody can write, such as `/tmp`, is ignored.
    """
    folder = os.path.abspath(start)
    while True:
        candidate = os.path.join(folder, name)
        if os.path.lexists(candidate) and not _is_planted(folder, candidate):
            return candidate
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def _is_planted(folder: str, path: str) -> bool:
    if sys.platform == "win32":
        return False
    try:
        if not os.stat(folder).st_mode & stat.S_IWOTH:
            return False
        return os.lstat(path).st_uid not in (0, os.geteuid(), os.stat(folder).st_uid)
    except OSError:
        return False


def project_root(folder: str) -> str:
    """The project in which `folder` lies: the closest folder upwards with a repository or a sandboxd.toml.

    Without either it is `folder` itself, or the one that contains its `.devcontainer`. Files that another user put into
    a folder that everybody can write are ignored.
    """
    current = folder
    for _ in range(_HIGHEST):
        marks = (f"{current}/{name}" for name in (".git", CONFIG_NAME))
        if any(os.path.lexists(mark) and not _is_planted(current, mark) for mark in marks):
            return current
        parent = os.path.dirname(current)
        if parent in (current, "/"):
            break
        current = parent
    head, devcontainer, _ = f"{folder}/".partition("/.devcontainer/")
    return head if devcontainer else folder


def read_beside(path: str, beside: str) -> SourceText:
    """Read `path`, which the file at `beside` names, if both are in the same project.

    :raises UnreadableError: as `read_source`; also if it is outside of the project
    """
    return ReaderBeside()(path, beside)


class ReaderBeside:
    """`read_beside` for one run over many files: where a folder really is, and in which project, is looked up once."""

    def __init__(self) -> None:
        self._real: dict[str, str] = {}
        self._roots: dict[str, str] = {}

    def __call__(self, path: str, beside: str) -> SourceText:
        if "\0" in path:
            raise UnreadableError("path holds a NUL byte", "check the path")
        real = self._real_path(path)
        if not real.startswith(self._root(os.path.dirname(beside))):
            raise UnreadableError("lies outside of the project", "check it where it belongs to")
        return read_source(real, shown_as=path)

    def _real_path(self, path: str) -> str:
        folder, _, name = path.rpartition("/")
        if name in ("", ".", ".."):
            return os.path.realpath(path)
        if folder not in self._real:
            self._real[folder] = os.path.realpath(f"{folder}/" if folder or path[:1] == "/" else "")
        real = f"{self._real[folder].rstrip('/')}/{name}"
        return os.path.realpath(real) if os.path.islink(real) else real

    def _root(self, folder: str) -> str:
        if folder not in self._roots:
            self._roots[folder] = os.path.realpath(project_root(folder)).rstrip("/") + "/"
        return self._roots[folder]


def leads_below(path: str, folder: str) -> bool:
    """Whether `path` lies below `folder`, with the symbolic links of both resolved."""
    return os.path.realpath(path).startswith(os.path.realpath(folder).rstrip("/") + "/")


def in_same_project(path: str, beside: str) -> bool:
    """Whether `path`, with symbolic links resolved, is in the project of the file at `beside`."""
    if "\0" in path:
        return False
    return leads_below(path, project_root(os.path.dirname(beside)))


def write_private(path: str, data: bytes, *, synced: bool = True, takes_back: bool = False) -> bool:
    """Write a file of sandboxd's own as in `write_atomic`; only this user can access the file and its folder.

    :param takes_back: whether `data`, a text of lines, takes a right back: on a full disk it is written in place, if the
        file has room for it
    :raises OSError: the folder cannot be created
    :raises EnvironmentFailure: there is no space or no permission
    """
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    try:
        return write_atomic(path, data, 0o600, synced=synced)
    except EnvironmentFailure:
        size, room = _size_and_room(path)
        if not takes_back or len(data) > room:
            raise
        # Nothing of the old text is behind the new one if this ends in between.
        write_into(path, data.ljust(size, b"\n"))
        os.truncate(path, len(data))
        return True


def _size_and_room(path: str) -> tuple[int, int]:
    """The bytes of a file, and those that it can have without a further block of the disk."""
    try:
        status = os.lstat(path)
    except OSError:
        return 0, 0
    # `st_blocks` is in units of 512 bytes, whatever the file system has.
    return status.st_size, status.st_blocks * 512


def write_atomic(path: str, data: bytes, mode: int = 0o644, *, synced: bool = True) -> bool:
    """Replace the content of `path` by `data`; return False if it has that content already.

    Readers see the old or the new file, never a part: it writes a temporary file in the same folder, calls fsync, and
    renames it. A symbolic link at `path` is replaced, not followed.

    :param synced: False: do not wait for the disk, for data that is worthless after a crash of the machine
    :raises EnvironmentFailure: there is no space or no permission, or the folder is missing
    """
    import contextlib

    with contextlib.suppress(UnreadableError):
        if not os.path.islink(path) and read_bytes(path, max(len(data), MAX_BYTES)) == data:
            return False
    temporary = f"{path}.{os.urandom(6).hex()}.tmp"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                if synced:
                    os.fsync(file.fileno())
            os.rename(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise _cannot_write(path, error) from None
    return True


def write_into(path: str, data: bytes) -> None:
    """Overwrite an existing regular file in place, so that processes that have it mounted see the new content.

    Readers can see a part of it; a symbolic link at `path` is not followed.

    :raises EnvironmentFailure: there is no space or no permission, or it is not a regular file
    """
    try:
        flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with open(os.open(path, flags), "wb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise EnvironmentFailure(f"`{path}` is no regular file", "name a file")
            file.write(data)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _cannot_write(path, error) from None


def flush_file_system(folder: int) -> None:
    """Have all that was written to the file system of an open folder on its disk; on macOS that of all of them.

    :raises OSError: it cannot be written there
    """
    if not sys.platform.startswith("linux"):
        os.sync()
        return
    import ctypes

    if ctypes.CDLL(None, use_errno=True).syncfs(folder):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _cannot_write(path: str, error: OSError) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"cannot write `{path}`: {(error.strerror or str(error)).lower()}",
        "free some space or correct the permissions, then run the command again",
    )


def _open_reason(error: OSError) -> str:
    return {
        "EACCES": "cannot be read: permission denied",
        "ELOOP": "is a loop of symbolic links",
        "EISDIR": "is a directory, not a regular file",
        "ENXIO": "is a socket or a device without a driver, not a regular file",
        "ENAMETOOLONG": "has a name that is too long",
        "ENOTDIR": "lies below something that is not a directory",
    }.get(_name(error), f"cannot be read: {(error.strerror or str(error)).lower()}")


def _name(error: OSError) -> str:
    import errno

    return errno.errorcode.get(error.errno or 0, "")


def _kind(mode: int) -> str:
    for test, name in (
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a character device"),
        (stat.S_ISBLK, "a block device"),
    ):
        if test(mode):
            return name
    return "something else"
