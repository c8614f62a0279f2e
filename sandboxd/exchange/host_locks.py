"""Git's own lock files on the host's index and HEAD, each with a second hard link that marks it as sandboxd's.

A process that is killed while it holds a lock leaves the file, and git on the host would refuse to work for ever. The
second link's name ends with the mark of the sandbox: whoever holds the lock of the sandbox's `Place` knows that no
other process holds such a file, and may remove it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, NamedTuple

from sandboxd.exchange import copying
from sandboxd.plan import beneath

if TYPE_CHECKING:
    from sandboxd.exchange.host_git import HostGit

NAMES = ("index", "HEAD")
"""The files in the host's git directory that are locked."""


class InUse(Exception):
    """Another process holds git's lock on the file."""


class Lock(NamedTuple):
    """A held lock: the open lock file, the descriptor of its folder, and the name of the file that it protects."""

    file: IO[bytes]
    folder: int
    name: str

    def write(self, content: bytes, times: tuple[int, int] | None = None) -> None:
        """Write the new content of the protected file into the lock file, and wait until it is on the disk.

        :param times: the file's access and modification time in nanoseconds; None: those of the write
        """
        self.file.write(content)
        self.file.flush()
        os.fsync(self.file.fileno())
        if times is not None:
            os.utime(self.file.fileno(), ns=times)

    def commit(self) -> None:
        """Rename the lock file over the protected file, which also ends the lock."""
        _put_in_place(self.folder, self.name)


@contextlib.contextmanager
def lock(host: HostGit, name: str) -> Iterator[Lock]:
    """Hold git's lock on the file `name` of the host's git directory; a lock that is there is never removed.

    :param name: one of `NAMES`
    :raises InUse: another process holds it
    """
    owner = copying.owner_of(host.repository.workspace)
    with beneath.open_folder(host.repository.own) as folder:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        mark = _marked(host, name)
        descriptor = os.open(mark, flags, 0o666, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                if owner.uid != -1:
                    os.fchown(file.fileno(), owner.uid, owner.gid)
                _give_name(folder, mark, f"{name}.lock")
                yield Lock(file, folder, name)
        finally:
            _remove(folder, name, mark)


def is_ours(host: HostGit, name: str) -> bool:
    """Whether the lock on `name` was left by an exchange of this sandbox."""
    with beneath.open_folder(host.repository.own) as folder:
        return _is_ours(folder, name, _marked(host, name))


def put_in_place(host: HostGit, name: str) -> None:
    """Rename the lock file on `name`, which an exchange of this sandbox left, over the file itself.

    :raises OSError: it cannot be renamed
    """
    with beneath.open_folder(host.repository.own) as folder:
        _put_in_place(folder, name)


def remove_left(host: HostGit, name: str) -> None:
    """Remove the lock on `name` where an exchange of this sandbox left it.

    :raises OSError: it cannot be removed
    """
    with beneath.open_folder(host.repository.own) as folder:
        _remove(folder, name, _marked(host, name))


def _marked(host: HostGit, name: str) -> str:
    return f"{name}.lock.{host.place.mark}"


def _give_name(folder: int, mark: str, name: str) -> None:
    try:
        os.link(mark, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        raise InUse from None


def _put_in_place(folder: int, name: str) -> None:
    os.rename(f"{name}.lock", name, src_dir_fd=folder, dst_dir_fd=folder)


def _is_ours(folder: int, name: str, mark: str) -> bool:
    try:
        ours, now = (os.lstat(n, dir_fd=folder) for n in (mark, f"{name}.lock"))
    except FileNotFoundError:
        return False
    return os.path.samestat(ours, now)


def _remove(folder: int, name: str, mark: str) -> None:
    if _is_ours(folder, name, mark):
        os.unlink(f"{name}.lock", dir_fd=folder)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(mark, dir_fd=folder)
