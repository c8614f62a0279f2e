"""The limits that a sandboxd.toml sets, within those of its profile, of the policy minimum and of the user's grant."""

from __future__ import annotations

from typing import Any

from sandboxd.config.model import Config, Setting
from sandboxd.errors import UsageError
from sandboxd.model.limits import FORMS, OF_EVERY_PROFILE, amount
from sandboxd.plan.notes import Decider
from sandboxd.plan.profiles import Profile
from sandboxd.policy.floor import Floor

_TABLE = "`[limits]` in sandboxd.toml"


def limit(
    profile: Profile, config: Config, floor: Floor, trusted: bool, how_to_grant: str
) -> Profile:
    """`profile` with the limits of `config`, and with those of the policy minimum where they are smaller.

    :param trusted: whether the user trusts this content of sandboxd.toml
    :param how_to_grant: the hint of the error if only the grant is missing
    :raises UsageError: the config sets a limit that the sandbox does not have, or one that is too large
    """
    for setting in config.limits:
        _refuse_without_effect(profile, setting)
    raised = loosened(profile, config)
    if raised and not trusted:
        listed = ", ".join(raised)
        raise UsageError(
            f"sandboxd.toml alone cannot raise the limits of profile `{profile.name}`: {listed}",
            how_to_grant,
        )
    most = dict(floor.limits)
    for setting in config.limits:
        name, value = setting.value
        if name in most and amount(name, value) > amount(name, most[name]):
            raise UsageError(
                f"sandboxd.toml asks for `{name} = {_toml(value)}`, and `{floor.path_of('limits')}` allows "
                f"`{most[name]}` at most",
                f"make it smaller under {_TABLE}",
            )
        profile = _with(profile, name, value)
    for name, value in most.items():
        own = getattr(profile, name)
        if _has(profile, name) and (not own or amount(name, own) > amount(name, value)):
            profile = _with(profile, name, value)
    return profile


def loosened(profile: Profile, config: Config) -> tuple[str, ...]:
    """A phrase for each limit of `config` that is above that of the profile."""
    return tuple(
        f"{name} {value} in place of {getattr(profile, name)}"
        for name, value in (setting.value for setting in config.limits)
        if getattr(profile, name) and amount(name, value) > amount(name, getattr(profile, name))
    )


def deciders(before: Profile, after: Profile, config: Config) -> dict[str, Decider]:
    """Who decided each limit that is not the profile's own: ``config`` with the place in the file, or ``floor``.

    :param before: the profile without what config and policy minimum say
    """
    places = {setting.value: setting.place for setting in config.limits}
    changed = [name for name in FORMS if getattr(before, name) != getattr(after, name)]
    return {
        name: ("config", places[name, getattr(after, name)])
        if (name, getattr(after, name)) in places
        else ("floor", None)
        for name in changed
    }


def _with(profile: Profile, name: str, value: str | int) -> Profile:
    limits: dict[str, Any] = {name: value}
    return profile._replace(**limits)


def _has(profile: Profile, name: str) -> bool:
    return name in OF_EVERY_PROFILE or bool(getattr(profile, name))


def _refuse_without_effect(profile: Profile, setting: Setting[tuple[str, str | int]]) -> None:
    """:raises UsageError: nothing in the sandbox has this limit"""
    name = setting.value[0]
    why = ""
    if not _has(profile, name):
        why = f"profile `{profile.name}` has no such limit"
    elif name == "copy" and profile.access == "rw" and not profile.synced:
        why = f"profile `{profile.name}` works on the folder itself"
    elif name == "hot" and profile.access != "rw":
        why = f"profile `{profile.name}` keeps no folder of the workspace in memory"
    if why:
        raise UsageError(f"`limits.{name}` would do nothing: {why}", f"take it out of {_TABLE}")


def _toml(value: str | int) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'
