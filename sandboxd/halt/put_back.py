"""Renames what a sandbox may have written at a lost path, and restores what the host had there before.

The file or folder is renamed within its folder ("put aside"): that needs no copy and takes no time, and a program of
the host that has it open goes on writing into it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import secrets
import stat
from typing import NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.halt import versions
from sandboxd.halt.verdict import Action, Kind, Version, decide
from sandboxd.plan import beneath

_IN_ORDER, _MOST_RANDOM = 10, 10
"""Names that are tried for what is put aside: first those that a person finds again, then random ones."""
_LONGEST_STEM = 200
"""Bytes of a name that is kept: a file system takes 255 in all."""


class Outcome(NamedTuple):
    """What was done at one path; paths are relative to the workspace."""

    path: str
    action: Action
    aside: str = ""
    """The new path of what was there; '' where it was not renamed."""
    problem: str = ""
    """Why it could not be renamed, for a person; '' for no problem."""


def put_back(workspace: str, path: str, before: Version | None) -> Outcome:
    """Do at `path` in the workspace what `verdict.decide` says; the outcome has a failure as its `problem`.

    :param before: what was mounted there; None where that is not known
    """
    try:
        try:
            return _put_back(workspace, path, before)
        except (PermissionError, SandboxdError):
            # Who runs inside is the owner, too, and may have shut the folders before it was stopped.
            if not _open_folders(workspace, path):
                raise
        return _put_back(workspace, path, before)
    except (OSError, SandboxdError) as error:
        return Outcome(path, Action.LEFT, problem=_reason(error))


def set_aside(workspace: str, path: str) -> Outcome:
    """Rename what is at `path` in the workspace, if anything is; the outcome has a failure as its `problem`."""
    return put_back(workspace, path, Version(Kind.FOLDER))


def _reason(error: OSError | SandboxdError) -> str:
    if isinstance(error, SandboxdError):
        return error.message
    return (error.strerror or str(error)).lower()


def _put_back(workspace: str, path: str, before: Version | None) -> Outcome:
    """:raises OSError: what is there cannot be put aside
    :raises SandboxdError: the folder cannot be opened
    """
    name = posixpath.basename(path)
    try:
        with (
            beneath.open_folder(workspace) as root,
            beneath.parent_of(root, path, create=False) as folder,
        ):
            action = decide(name, before, versions.present(folder, name))
            if action is Action.LEFT:
                return Outcome(path, action)
            aside = posixpath.join(posixpath.dirname(path), _set_aside(folder, name))
            if action is Action.PUT_BACK and before is not None and before.data is not None:
                try:
                    _write(folder, name, before.data, before.mode)
                except OSError:
                    action = Action.SET_ASIDE
            return Outcome(path, action, aside)
    except FileNotFoundError:
        # The folder above it is not there either.
        return Outcome(path, Action.LEFT)


def _open_folders(workspace: str, path: str) -> bool:
    """Give the owner all rights in the folders above `path`; whether some were taken away and are given now.

    Nothing runs inside, so that what is looked at stays as it is.
    """
    is_changed = False
    folder = workspace
    for part in ("", *posixpath.dirname(path).split("/")):
        folder = posixpath.join(folder, part)
        try:
            mode = os.lstat(folder).st_mode
            if not stat.S_ISDIR(mode):
                return is_changed
            if mode & stat.S_IRWXU != stat.S_IRWXU:
                os.chmod(folder, stat.S_IMODE(mode) | stat.S_IRWXU)
                is_changed = True
        except OSError:
            return is_changed
    return is_changed


def _set_aside(folder: int, name: str) -> str:
    """Rename an entry of a folder to a free name, which is returned.

    :raises OSError: it cannot be renamed
    """
    stem = os.fsdecode(os.fsencode(name)[:_LONGEST_STEM])
    # A program inside may have made the first names of all to be in the way, and cannot have made a random one.
    numbers = (*range(1, _IN_ORDER), *(secrets.randbelow(10**15) for _ in range(_MOST_RANDOM)))
    for number in numbers:
        aside = f"{stem}.halted" if number == 1 else f"{stem}.halted-{number}"
        # Nothing runs inside, so that nobody but the host could make this name in between.
        with contextlib.suppress(FileNotFoundError):
            os.stat(aside, dir_fd=folder, follow_symlinks=False)
            continue
        os.rename(name, aside, src_dir_fd=folder, dst_dir_fd=folder)
        return aside
    raise OSError(errno.EEXIST, "no name is free to put it aside")


def _write(folder: int, name: str, data: bytes, mode: int) -> None:
    """Make a new file: descriptors that are open inside lead to the one that was put aside.

    :raises OSError: it cannot be written, and is not there then; or the host put another one there, which stays
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, mode, dir_fd=folder)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            with contextlib.suppress(OSError):
                os.fchmod(descriptor, mode)
                parent = os.stat(".", dir_fd=folder)
                os.fchown(descriptor, parent.st_uid, parent.st_gid)
    except OSError:
        # A full disk: nothing at the path is better than a part of what was there.
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise
