"""Packs a file or folder of the host into an archive for a sandbox, without following a link.

While the sandbox writes in the workspace, files can change during reading: what was a file a moment ago may now be a
link into the user's home. So each name is opened from its open folder.
"""

from __future__ import annotations

import io
import os
import stat
import tarfile
from typing import IO

from sandboxd.errors import UsageError
from sandboxd.files import reading
from sandboxd.plan import beneath

MOST_BYTES = 1 << 30
MOST_LEVELS = 200
_MOST_LINKS = 40
"""As Linux follows in one path."""


def place(workspace: str, path: str) -> tuple[str, str]:
    """Split a path of the host into a folder, below which no link is followed, and the rest.

    :param workspace: the folder in which the sandbox may write. For a path that leads below it, also by links of the
        user's own, that folder is the workspace itself; for others, it is the folder of `path`, reached by such links
    :raises UsageError: there are too many links, as where they lead in a circle, or one goes up from below the workspace
    """
    here, rest = "/", os.path.abspath(path).split("/")[1:]
    links = 0
    while len(rest) > 1 and (here != workspace or rest[0] == ".."):
        step = os.path.normpath(os.path.join(here, rest.pop(0)))
        if not os.path.islink(step):
            here = step
            continue
        links += 1
        if links > _MOST_LINKS:
            raise _unclear(path, "leads through too many links")
        leads_to = os.readlink(step)
        here = "/" if leads_to.startswith("/") else here
        rest = [part for part in leads_to.split("/") if part not in ("", ".")] + rest
    if ".." in rest:
        # A program inside could have it go up from elsewhere.
        raise _unclear(path, "is a link that goes up (`..`) from a folder of the workspace")
    return here, "/".join(rest)


def _unclear(path: str, why: str) -> UsageError:
    return UsageError(f"`{path}` {why}", "name the folder itself that is meant")


def pack(folder: str, path: str, entry: str) -> tuple[bytes, int]:
    """A tar archive of `path` below `folder` under the name `entry`, with links as links; and the number of files.

    :raises UsageError: it cannot be read, is behind a link, or is too large
    """
    buffer = io.BytesIO()
    try:
        with (
            tarfile.open(fileobj=buffer, mode="w") as tar,
            beneath.open_folder(folder) as root,
            beneath.parent_of(root, path, create=False) as parent,
        ):
            count = Packing(tar, buffer).add(parent, os.path.basename(path), entry, 0)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"`{path}` cannot be read: {reason}", "check its name") from None
    return buffer.getvalue(), count


class Packing:
    """A tar archive being written to `buffer`."""

    def __init__(self, tar: tarfile.TarFile, buffer: IO[bytes]) -> None:
        self._tar, self._buffer = tar, buffer

    def is_wanted(self, _entry: str, _is_folder: bool) -> bool:
        """Whether the entry goes into the archive."""
        return True

    def put(
        self, info: tarfile.TarInfo, _status: os.stat_result, file: IO[bytes] | None = None
    ) -> None:
        """Write one entry, with the content of `file` if it is a regular file."""
        self._tar.addfile(info, file)

    def add(self, folder: int, name: str, entry: str, level: int) -> int:
        """Add the file, link or folder `name` of the open `folder`; return the number of files.

        :raises OSError: it cannot be read, or became another kind of file meanwhile
        """
        status = os.lstat(name, dir_fd=folder)
        if not self.is_wanted(entry, stat.S_ISDIR(status.st_mode)):
            return 0
        if stat.S_ISDIR(status.st_mode):
            return self._add_folder(folder, name, entry, level)
        if stat.S_ISLNK(status.st_mode):
            info = _info(entry, status, tarfile.SYMTYPE)
            info.linkname = os.readlink(name, dir_fd=folder)
            self._put(info, status)
        elif stat.S_ISREG(status.st_mode):
            with reading(_open(folder, name, os.O_NONBLOCK)) as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise OSError(f"`{name}` is no file any more")
                info = _info(entry, status, tarfile.REGTYPE)
                info.size = status.st_size
                self._put(info, status, file)
        elif stat.S_ISFIFO(status.st_mode):
            self._put(_info(entry, status, tarfile.FIFOTYPE), status)
        else:
            # A socket or a device of the host is nothing inside.
            return 0
        return 1

    def _add_folder(self, folder: int, name: str, entry: str, level: int) -> int:
        if level == MOST_LEVELS:
            raise UsageError(f"`{entry}` is nested too deep", "copy a part of it, or pack it")
        below = _open(folder, name, os.O_DIRECTORY)
        try:
            status = os.fstat(below)
            self._put(_info(entry, status, tarfile.DIRTYPE), status)
            names = sorted(os.listdir(below))
            return sum(self.add(below, each, f"{entry}/{each}", level + 1) for each in names)
        finally:
            os.close(below)

    def _put(
        self, info: tarfile.TarInfo, status: os.stat_result, file: IO[bytes] | None = None
    ) -> None:
        if self._buffer.tell() + info.size > MOST_BYTES:
            raise UsageError("it is more than 1 GiB", "copy a part of it")
        self.put(info, status, file)


def _info(entry: str, status: os.stat_result, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(entry)
    info.type, info.mode, info.mtime = kind, stat.S_IMODE(status.st_mode), int(status.st_mtime)
    return info


def _open(folder: int, name: str, flags: int) -> int:
    return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=folder)
