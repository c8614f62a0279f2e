"""Writes reviewed changes into the workspace: exactly the bytes that were shown, and nothing else."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import sys
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.observe import in_use
from sandboxd.plan import beneath
from sandboxd.review.refs import folder_of, give
from sandboxd.review.weigh import look

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.observe.in_use import MountedFiles
    from sandboxd.review.weigh import Item

_HAS_PROC = sys.platform == "linux"


class Brought(NamedTuple):
    """Paths that were written or deleted (`done`), and those that could not be, each with the reason (`failed`)."""

    done: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]


def bring(workspace: str, chosen: Iterable[Item], mounted: MountedFiles | None = None) -> Brought:
    """Write `chosen` below `workspace`, except files that changed on the host since they were shown.

    :param mounted: what processes have mounted, where the caller has looked; it takes a look at each of them
    """
    done, failed = [], []
    mounted = in_use.mounted_files() if mounted is None else mounted
    with beneath.open_folder(workspace) as root:
        owner = os.fstat(root)
        for item in chosen:
            if look(root, item.path)[:2] != item.here[:2]:
                failed.append((item.path, "it changed on the host since it was shown"))
                continue
            try:
                _bring(root, item, owner, mounted)
            except SandboxdError as error:
                failed.append((item.path, error.message))
            except OSError as error:
                failed.append((item.path, (error.strerror or str(error)).lower()))
            else:
                done.append(item.path)
    return Brought(tuple(done), tuple(failed))


def ends_mounts(workspace: str, chosen: Iterable[Item]) -> tuple[str, ...]:
    """The paths of `chosen` whose change removes a mount in a running sandbox; () for none.

    Only deletions and replacements by a symbolic link do so: other files are overwritten in place.
    """
    ending = [
        item for item in chosen if item.here.is_file and (item.kind == "deleted" or item.link)
    ]
    mounted = in_use.mounted_files() if ending else None
    return tuple(
        item.path
        for item in ending
        if mounted is not None and mounted.has(os.path.join(workspace, item.path))
    )


def _bring(root: int, item: Item, owner: os.stat_result, mounted: MountedFiles) -> None:
    name = os.path.basename(item.path)
    if item.kind == "deleted":
        with beneath.parent_of(root, item.path, create=False) as folder:
            os.unlink(name, dir_fd=folder)
        return
    with folder_of(root, item.path, owner) as folder:
        if not item.link and item.here.is_file and mounted.has(_path_of(folder, name)):
            _write_into(folder, name, item)
            return
        if item.link:
            _link(folder, name, item, owner)
            return
        with beneath.replacing(folder, name, 0o600, synced=False) as file:
            give(file.fileno(), owner)
            file.write(item.new)
            os.fchmod(file.fileno(), _mode(item))


def _path_of(folder: int, name: str) -> str:
    return os.path.join(os.readlink(f"/proc/self/fd/{folder}"), name) if _HAS_PROC else ""


def _write_into(folder: int, name: str, item: Item) -> None:
    """Write a file that a running sandbox has shut: replaced, its mount would go.

    :raises OSError: it is not a regular file any more, or cannot be written
    """
    flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(name, flags, dir_fd=folder), "wb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        file.truncate()
        file.write(item.new)
        if item.executable:
            mode = stat.S_IMODE(status.st_mode)
            os.fchmod(file.fileno(), mode | (mode & 0o444) >> 2)


def _mode(item: Item) -> int:
    """At most the former permissions of a file; only the executable bit comes from the sandbox."""
    mode = item.here.mode & 0o666 if item.here.is_file else 0o644
    return mode | (mode & 0o444) >> 2 if item.executable else mode


def _link(folder: int, name: str, item: Item, owner: os.stat_result) -> None:
    """Replace the file or link at a path by a symbolic link."""
    temporary = f".sandboxd-{secrets.token_hex(6)}"
    os.symlink(os.fsdecode(item.new), temporary, dir_fd=folder)
    try:
        if os.geteuid() == 0:
            ids = owner.st_uid, owner.st_gid
            os.chown(temporary, *ids, dir_fd=folder, follow_symlinks=False)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
