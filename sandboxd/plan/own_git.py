"""A sandbox's own git directory: its mounts, and what a plan says about it.

Git on the host never reads it. Commits made inside get into the host's repository by an exchange that checks them
(docs/decisions/0069).
"""

from __future__ import annotations

import posixpath
from typing import NamedTuple

from sandboxd.model.container import Mount
from sandboxd.model.control_name import ControlName
from sandboxd.model.values import Value
from sandboxd.plan import linked_worktree
from sandboxd.plan.git_modules import Module, Modules
from sandboxd.plan.git_objects import ROOT, ObjectFolders, target_of
from sandboxd.plan.linked_worktree import LinkedWorktree
from sandboxd.plan.notes import Notes
from sandboxd.plan.pinned_volume import read_only_folder

_ITEM = ControlName.GIT_INSIDE


class OwnGit(NamedTuple):
    """A sandbox's own git directory (`inside`, a folder on the host), and the host's objects that it reads.

    `empty` is an empty folder on the host, mounted over the lists of further object folders, whose paths do not exist
    inside.
    """

    inside: str
    empty: str
    objects: ObjectFolders
    modules: Modules = Modules()

    @property
    def targets(self) -> tuple[str, ...]:
        """The folders inside at which the host's objects are mounted."""
        return tuple(target_of(number) for number in range(len(self.objects.folders)))


def module_target(module: Module) -> str:
    """The folder inside at which the host's objects of a submodule are mounted."""
    return f"{ROOT}/{module.path}/objects"


def target_inside(workspace: str, linked: LinkedWorktree | None) -> str:
    """The folder inside at which git looks for its directory; '' if nothing may be mounted there.

    :param workspace: the path of the workspace inside
    :param linked: the repository if the workspace is a linked work tree; else None
    """
    if linked is None:
        return posixpath.join(workspace, ".git")
    common = linked_worktree.path_inside(workspace, linked)
    return common and posixpath.join(common, "worktrees", linked.name)


def directory_mount(own: OwnGit, target: str, notes: Notes) -> Value[Mount]:
    """The mount of the git directory at `target`, writable."""
    why = (
        "a git directory of its own: git on the host never reads what is written here, and takes commits from it "
        "when they were checked"
    )
    return notes.value("mounts", Mount("bind", own.inside, target), f"{target} (read-write)", why)


def object_mounts(own: OwnGit, plain_pins_hold: bool, notes: Notes) -> tuple[Value[Mount], ...]:
    """The read-only mounts of the host's objects.

    :param plain_pins_hold: whether files below a plain read-only mount are safe under the chosen runtime
    """
    mounts = []
    for folder, target in zip(own.objects.folders, own.targets, strict=True):
        mount = read_only_folder(folder.path, target, plain_pins_hold)
        why = "the objects of the repository on the host: git inside reads them, and copies none"
        mounts.append(notes.value("mounts", mount, f"{target} (read-only)", why))
        if folder.names_others:
            over = f"{target}/info"
            mount = read_only_folder(own.empty, over, plain_pins_hold)
            why = "the further folders of objects that it names are mounted elsewhere, or not"
            mounts.append(notes.value("mounts", mount, f"{over} (read-only)", why))
    for module in own.modules.modules:
        target = module_target(module)
        mount = read_only_folder(module.objects.path, target, plain_pins_hold)
        why = f"the objects of the submodule in `{module.worktree}`"
        mounts.append(notes.value("mounts", mount, f"{target} (read-only)", why))
    return tuple(mounts)


def say(own: OwnGit, notes: Notes) -> None:
    """Note the folders of objects, and the submodules, that are not available inside."""
    for path in own.objects.refused:
        notes.downgrade(
            _ITEM,
            f"the repository reads objects from `{path}`, outside of your folder, which does not enter: git inside "
            "misses those",
            "copy them into it: `git repack -a -d`, then remove `.git/objects/info/alternates`",
        )
    if own.modules.modules:
        notes.downgrade(
            _ITEM,
            "what is committed in a submodule inside stays inside, and what is committed in one on the host is not "
            "there at once",
            "commit in submodules on the host",
        )
    if own.modules.refused:
        names = ", ".join(f"`{path.removeprefix('modules/')}`" for path in own.modules.refused)
        notes.downgrade(
            _ITEM,
            f"the submodules {names} have no repository inside: too many, or of an unusual form",
            "use git in them on the host",
        )
