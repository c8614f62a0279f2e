"""The copy of the workspace that `sandboxd up` keeps the same as the host's folder, in the place of a mount of it.

Under gVisor it lies in memory, where small files are several times faster than on a mount or a volume of the host
(docs/decisions/0084). Elsewhere it lies in a volume, which outlives the container. Other tools that start a generated
file mount the folder itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import UsageError
from sandboxd.model.control_name import ControlName
from sandboxd.plan.lasting import Lasting, beginning
from sandboxd.plan.layout import memory_folder
from sandboxd.plan.mounts import target_folder
from sandboxd.plan.notes import Notes

if TYPE_CHECKING:
    from sandboxd.config.model import WorkspaceWishes
    from sandboxd.model.container import Mount
    from sandboxd.model.values import Value
    from sandboxd.plan.layout import Layout
    from sandboxd.plan.profiles import Profile
    from sandboxd.plan.runtime import Choice
    from sandboxd.plan.workspace import WorkspaceFacts

_CONTROL = ControlName.FILES_INSIDE


class Synced(NamedTuple):
    """The folder inside with the copy.

    It is in the volume `volume`, which is among `Plan.lasting`, or with '' in memory, by the mount `memory`. `replaces` are the paths inside of mounts that the container does not have then. `wanted` are patterns of ignored
    files that are kept the same, too.
    """

    target: str
    volume: str
    memory: Mount
    replaces: frozenset[str]
    wanted: tuple[str, ...]


def synced(
    profile: Profile,
    choice: Choice,
    workspace: WorkspaceFacts,
    places: Layout,
    user: Value[str] | None,
    wishes: WorkspaceWishes,
    notes: Notes,
) -> Synced | None:
    """The copy of a sandbox; None if its profile works on the folder itself or on a private copy.

    :raises UsageError: the folder is a linked work tree
    """
    if not profile.synced:
        return None
    if workspace.linked is not None:
        raise UsageError(
            "the folder is a linked work tree of git, which no copy can be kept the same as",
            "take `layout` out of `[workspace]` in sandboxd.toml, or work in a clone",
        )
    target = target_folder(workspace.path)
    volume = ""
    own = notes if choice.gvisor else Notes(profile.name)
    why = "a copy of the workspace that is kept the same"
    memory = memory_folder(target, profile.copy, "755", user, own, why, wishes.layout).value
    if choice.gvisor:
        notes.downgrade(
            _CONTROL,
            f"the copy of your folder is in memory, {profile.copy} at most: what git ignores and is made inside is not on "
            "the host, and goes with the container",
            '`[workspace] sync = ["FOLDER"]` in sandboxd.toml has such files on the host, too',
        )
    else:
        volume = beginning("synced", workspace.sandbox) + profile.name
        notes.reason("mounts", f"{target} (lasts)", f"{why}, in the volume `{volume}`", "config")
    if workspace.own_git is not None and workspace.own_git.modules.modules:
        notes.downgrade(
            ControlName.GIT_INSIDE,
            "submodules have no repository inside, only their files",
            "commit in submodules on the host",
        )
    notes.downgrade(
        ControlName.WORKSPACE,
        "where another tool than `sandboxd up` starts it, it works on your folder itself, and not on a copy",
        of_other_tools=True,
    )
    wanted = tuple(setting.value for setting in wishes.sync)
    return Synced(target, volume, memory, places.replaced, wanted)


def lasting_copy(copy: Synced | None) -> tuple[Lasting, ...]:
    """The persistent volume that holds a synced copy, as the one entry; () if the copy is in no volume, or there is none."""
    if copy is None or not copy.volume:
        return ()
    return (Lasting("synced", copy.volume, copy.target, 0o755),)
