"""The places of both sides: the host's repository, and the folder of a sandbox's own git directory.

That folder lies in the user's state, outside of every workspace. Its part `inside` is written by what runs
in the sandbox and is as hostile as a workspace; the rest is never mounted.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
from collections.abc import Mapping
from typing import NamedTuple

from sandboxd.files import reading
from sandboxd.folders import state_folder
from sandboxd.plan.linked_worktree import linked_worktree


class Place(NamedTuple):
    """The folder, an absolute path, that holds a sandbox's own git directory and its records; nothing in it need
    exist.
    """

    folder: str

    @property
    def inside(self) -> str:
        """The git directory, mounted read-write. Hostile: opened without following links, never given to git."""
        return os.path.join(self.folder, "inside")

    @property
    def agreed(self) -> str:
        """The path of the record of the state that both sides last agreed on (`exchange.agreed`)."""
        return os.path.join(self.folder, "agreed")

    @property
    def acting(self) -> str:
        """The path of the record of waiting refs whose commits would make tools on the host act (`acting_refs`)."""
        return os.path.join(self.folder, "acting")

    @property
    def shut(self) -> str:
        """The path of the record of what was read-only inside when the sandbox last ran (`shut_paths`)."""
        return os.path.join(self.folder, "shut")

    @property
    def lock(self) -> str:
        """The path of the lock file that is held while the git directory is made or an exchange runs."""
        return os.path.join(self.folder, "lock")

    @property
    def checkout(self) -> str:
        """The path of the record of a checkout on the host that began and did not end (`checkout_record`)."""
        return os.path.join(self.folder, "checkout")

    @property
    def sandbox(self) -> str:
        """The path of the record that holds the identity of the sandbox (`leftover.note`)."""
        return os.path.join(self.folder, "sandbox")

    @property
    def mark(self) -> str:
        """The ending of names of temporary files in the host's repository, by which exchanges of this sandbox know
        their own.
        """
        return f"sandboxd-{os.path.basename(self.folder)[:12]}"

    @property
    def empty(self) -> str:
        """The path of an empty folder, mounted read-only over what git inside must not read."""
        return os.path.join(self.folder, "empty")


class Repository(NamedTuple):
    """The host's repository of a workspace.

    `own` is the work tree's own folder (HEAD, index, logs/HEAD), absolute; `common` has objects, refs and
    config. They are the same but for a linked work tree, whose `name` is that in `common/worktrees`.
    """

    workspace: str
    own: str
    common: str
    name: str = ""


def place_of(environ: Mapping[str, str], sandbox: str) -> Place:
    """The place of the sandbox with the identity `sandbox` (`model.sandbox_id`); no folder is made."""
    # Without links on the way, so that what is mounted can be compared with what was meant.
    return Place(os.path.join(os.path.realpath(state_folder(environ)), "git", _digest(sandbox)))


def beside(place: Place, sandbox: str) -> Place:
    """The place of another sandbox, with the identity `sandbox`, of the same user as `place`."""
    return Place(os.path.join(os.path.dirname(place.folder), _digest(sandbox)))


def _digest(sandbox: str) -> str:
    return hashlib.sha256(os.fsencode(sandbox)).hexdigest()[:32]


def repository_of(workspace: str) -> Repository | None:
    """The repository whose work tree is `workspace`, an absolute path without links.

    None where there is none of the usual form: `.git` a folder that has `HEAD`, `objects` and `refs` as files
    and folders of its own, or the file of a linked work tree whose repository names it in turn.
    """
    linked = linked_worktree(workspace)
    if linked is not None:
        own = posixpath.join(linked.common, "worktrees", linked.name)
        return Repository(workspace, own, linked.common, linked.name)
    folder = posixpath.join(workspace, ".git")
    return Repository(workspace, folder, folder) if is_repository(folder) else None


def is_repository(folder: str) -> bool:
    """Whether `folder` is a repository's own folder that nothing leads out of: no link, no `commondir`."""
    try:
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            return False
        has = {
            name: os.lstat(os.path.join(folder, name)).st_mode
            for name in ("HEAD", "objects", "refs")
        }
    except (OSError, ValueError):
        return False
    return (
        stat.S_ISREG(has["HEAD"])
        and stat.S_ISDIR(has["objects"])
        and stat.S_ISDIR(has["refs"])
        and not _leads_on(folder)
    )


def _leads_on(folder: str) -> bool:
    """Whether the repository in `folder` names another as its common folder. A stub of ours names itself."""
    path = os.path.join(folder, "commondir")
    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size > 3:
            return True
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    with reading(descriptor) as file:
        return file.read(4).strip() != b"."
