"""Puts what may be from inside aside, and what the host had before in its place.

What is put aside stays in its folder under another name: that needs no copy, so it is done at once, and a
program of the host that still writes there goes on writing into it."""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
from typing import NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.halt import versions
from sandboxd.halt.points import Point
from sandboxd.halt.verdict import Action, Version, decide
from sandboxd.plan import beneath

_MOST_ASIDE = 1000


class Outcome(NamedTuple):
    """What was done about one path, each path within the workspace."""

    path: str
    action: Action
    aside: str = ""
    """The path that what was there has now, '' where it was left."""
    problem: str = ""
    """Why that could not be done, '' where it was."""


def put_back(workspace: str, point: Point, before: Version | None) -> Outcome:
    """Do what `verdict.decide` says of a path; a failure is said in the outcome.

    :param before: what was mounted there; None where nobody watched
    """
    path = posixpath.relpath(point.path, workspace)
    name = posixpath.basename(path)
    try:
        with (
            beneath.open_folder(workspace) as root,
            beneath.parent_of(root, path, create=False) as folder,
        ):
            action = decide(name, before, versions.present(folder, name))
            if action is Action.LEFT:
                return Outcome(path, action)
            aside = _set_aside(folder, name)
            if action is Action.PUT_BACK and before is not None and before.data is not None:
                _write(folder, name, before.data, before.mode)
            return Outcome(path, action, posixpath.join(posixpath.dirname(path), aside))
    except FileNotFoundError:
        # The folder above it is not there either.
        return Outcome(path, Action.LEFT)
    except OSError as error:
        return Outcome(path, Action.LEFT, problem=(error.strerror or str(error)).lower())
    except SandboxdError as error:
        return Outcome(path, Action.LEFT, problem=error.message)


def _set_aside(folder: int, name: str) -> str:
    """Rename an entry of a folder to a free name, which is returned.

    :raises OSError: it cannot be renamed
    """
    for number in range(1, _MOST_ASIDE):
        aside = f"{name}.halted" if number == 1 else f"{name}.halted-{number}"
        # Nothing runs inside, so that nobody but the host could make this name in between.
        with contextlib.suppress(FileNotFoundError):
            os.stat(aside, dir_fd=folder, follow_symlinks=False)
            continue
        os.rename(name, aside, src_dir_fd=folder, dst_dir_fd=folder)
        return aside
    raise OSError(errno.EEXIST, "too many names of things put aside")


def _write(folder: int, name: str, data: bytes, mode: int) -> None:
    """Make a new file: descriptors that are open inside lead to the one that was put aside.

    :raises OSError: it cannot be written, or the host put another one there
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, mode, dir_fd=folder)
    with open(descriptor, "wb") as file:
        file.write(data)
        with contextlib.suppress(OSError):
            os.fchmod(descriptor, mode)
            parent = os.stat(".", dir_fd=folder)
            os.fchown(descriptor, parent.st_uid, parent.st_gid)
