"""Git's own locks on files of the host's git directory, each with a second name by which it is known for ours.

Who is killed while it holds one leaves it, and git on the host would be stopped by it for ever. The second name ends
with the mark of the sandbox, and whoever has the lock of the place knows that no other process holds it.
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
"""The files that are locked."""


class InUse(Exception):
    """Somebody else holds the lock."""


class Lock(NamedTuple):
    """A lock that is held: its open file, the open folder, the name of the file that it is for."""

    file: IO[bytes]
    folder: int
    name: str

    def write(self, content: bytes, times: tuple[int, int] | None = None) -> None:
        """Write what is to be in the place of the file; it is on the disk then.

        :param times: of its last access and change, in ns
        """
        self.file.write(content)
        self.file.flush()
        os.fsync(self.file.fileno())
        if times is not None:
            os.utime(self.file.fileno(), ns=times)

    def commit(self) -> None:
        """Put the file in its place."""
        _put_in_place(self.folder, self.name)


@contextlib.contextmanager
def lock(host: HostGit, name: str) -> Iterator[Lock]:
    """Git's own lock on the file `name` of the host's git directory; one that is there is never removed.

    :raises InUse: somebody else holds it
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
    """Let the lock on `name`, which is ours, take the place of the file.

    :raises OSError: it cannot
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
