"""The path of the daemon's socket, and whether it can be trusted.

The folder is private to the user and named after the protocol. It never lies in TMPDIR: editors
change that variable, and others may write there. Both ends check owner and mode, since a socket
in a folder that somebody else can enter is somebody else's socket.

Imported by the fast path of `status`: `os` and `stat` are loaded by every Python already.
"""

from __future__ import annotations

import os
import stat

from sandboxd.errors import DaemonError
from sandboxd.ipc.messages import PROTOCOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LONGEST = 103
"""Bytes that fit into `sockaddr_un` on every system we know (macOS: 104 with the NUL)."""


def folder(environ: Mapping[str, str], uid: int) -> str:
    """The folder of the daemon's socket for this user; it need not exist."""
    return os.path.join(_base(environ, uid), f"sandboxd-{uid}-{PROTOCOL}")


def socket_path(where: str) -> str:
    """The path of the daemon's socket in the folder `where`.

    :raises DaemonError: the path is too long for a Unix socket
    """
    path = os.path.join(where, "daemon.sock")
    if len(os.fsencode(path)) > _LONGEST:
        raise DaemonError(
            f"socket path `{path}` is longer than {_LONGEST} bytes",
            "set XDG_RUNTIME_DIR to a shorter folder of yours",
        )
    return path


def lock_path(where: str) -> str:
    """The path of the file that a running daemon holds locked, in the folder `where`."""
    return os.path.join(where, "daemon.lock")


def ensure_folder(where: str, uid: int) -> None:
    """Create the folder with mode 0700 where it is missing, then check it.

    :raises DaemonError: it cannot be created, or is not private
    """
    try:
        os.makedirs(os.path.dirname(where), mode=0o700, exist_ok=True)
        os.mkdir(where, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DaemonError(
            f"cannot create `{where}`: {reason}", "set XDG_RUNTIME_DIR to a folder of yours"
        ) from None
    check_folder(where, uid)


def check_folder(where: str, uid: int) -> bool:
    """Whether the folder exists; it must then be private to `uid`.

    :raises DaemonError: it is a symlink, no folder, another user's, or open to others
    """
    hint = f"`chmod 700 {where}`, after looking at what is in it"
    return _is_private(where, uid, "folder", stat.S_ISDIR, hint)


def check_socket(path: str, uid: int) -> bool:
    """Whether the socket exists; only `uid` may then be able to use it.

    :raises DaemonError: something else is in its place, or its owner or mode is wrong
    """
    hint = f"`rm {path}`, then run the command again"
    return _is_private(path, uid, "socket", stat.S_ISSOCK, hint)


def _is_private(
    path: str, uid: int, noun: str, is_kind: Callable[[int], bool], how_to_close: str
) -> bool:
    """False when nothing is at `path`, True when it is what `noun` says and only `uid` can use it.

    :raises DaemonError: something else is there, or its owner or mode is wrong
    """
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise DaemonError(f"cannot look at `{path}`: {(error.strerror or '').lower()}") from None
    if not is_kind(status.st_mode):
        kind = "a symbolic link" if stat.S_ISLNK(status.st_mode) else f"not a {noun}"
        raise DaemonError(f"`{path}` is {kind}, so it is not used", f"look at it, then `rm {path}`")
    _check_owner(path, status, uid)
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise DaemonError(
            f"`{path}` is open to other users (mode {mode:04o}), so it is not used", how_to_close
        )
    return True


def _check_owner(path: str, status: os.stat_result, uid: int) -> None:
    if status.st_uid != uid:
        raise DaemonError(
            f"`{path}` belongs to user {status.st_uid}, not to you ({uid}), so it is not used",
            "set XDG_RUNTIME_DIR to a folder of yours",
        )


def _base(environ: Mapping[str, str], uid: int) -> str:
    """XDG_RUNTIME_DIR, else /run/user/UID, else ~/.cache: the first that is ours.

    After `su` or `sudo` the variable often still names the other user's folder.
    """
    for candidate in (environ.get("XDG_RUNTIME_DIR", ""), f"/run/user/{uid}"):
        if candidate.startswith("/") and _is_ours(candidate, uid):
            return candidate
    return os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".cache")


def _is_ours(path: str, uid: int) -> bool:
    try:
        status = os.stat(path)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == uid and not status.st_mode & 0o022
