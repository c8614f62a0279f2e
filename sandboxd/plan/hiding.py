"""What stays out of the sandbox, as policy, project, agent and profile say; which files those are, is for `hide`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import UsageError
from sandboxd.model.control_name import ControlName

if TYPE_CHECKING:
    from sandboxd.config.model import Config
    from sandboxd.plan.notes import Notes
    from sandboxd.plan.profiles import Profile
    from sandboxd.policy.floor import Floor

_CONTROL = ControlName.HIDDEN_FILES


class Hiding(NamedTuple):
    """Patterns as of a `.gitignore`, in which case does not matter.

    `always` are those of the policy, which nothing takes back; `hide` those of the project and its agent; `show` those
    that the user granted. `secrets` is whether untracked files that look like a secret are hidden, too.
    """

    always: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    show: tuple[str, ...] = ()
    secrets: bool = False


NOTHING = Hiding()


def hiding(
    profile: Profile, config: Config, floor: Floor, notes: Notes, *, on_cluster: bool
) -> Hiding:
    """What stays out of a sandbox.

    :param on_cluster: whether it works on a copy whatever its profile
    :raises UsageError: files are to be hidden, and the sandbox works on the folder itself
    """
    hide = tuple(setting.value for setting in config.wishes.hide)
    show = tuple(setting.value for setting in config.wishes.show)
    if profile.access != "copy" and not profile.synced and not on_cluster:
        named = [f"`{floor.path_of('hide')}`"] if floor.hide else []
        named += ["`[workspace] hide` in sandboxd.toml"] if hide else []
        if named:
            raise UsageError(
                f"{' and '.join(named)} hides files, and profile `{profile.name}` has your folder itself inside",
                'work on a copy: `[workspace] layout = "synced"` or `"clone"` in sandboxd.toml'
                if profile.access == "rw" and profile.pins
                else "choose another profile: `agent` and `untrusted` work on a copy",
            )
        return NOTHING
    wanted = Hiding(floor.hide, hide, show, profile.hide_secrets)
    _say(wanted, floor, config, notes)
    if wanted != NOTHING and not on_cluster:
        notes.downgrade(
            _CONTROL,
            "where another tool than `sandboxd up` starts it, they can be read inside: it has your folder",
            "start it with `sandboxd up`",
            of_other_tools=True,
        )
    return wanted


def _say(wanted: Hiding, floor: Floor, config: Config, notes: Notes) -> None:
    if wanted.always:
        patterns = ", ".join(wanted.always)
        notes.reason("workspace", _CONTROL, f"{patterns}: `{floor.path_of('hide')}`", "policy")
    for settings, what in ((config.wishes.hide, "hidden"), (config.wishes.show, "shown")):
        for each in settings:
            notes.reason("workspace", f"{each.value} ({what})", "as written", "config")
    if wanted.secrets:
        why = "untracked files that look like a secret by name or content stay on the host"
        notes.reason("workspace", _CONTROL, why)
