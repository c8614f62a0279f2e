"""The capabilities of a sandbox: those of its profile, and those that a sandboxd.toml may add."""

from __future__ import annotations

from sandboxd.config.model import Config
from sandboxd.errors import UsageError
from sandboxd.model.values import Value
from sandboxd.plan.notes import Notes
from sandboxd.plan.profiles import Profile
from sandboxd.policy.floor import Floor


def limit(profile: Profile, floor: Floor) -> Profile:
    """`profile` without the capabilities that the policy minimum forbids to add."""
    if floor.capabilities is None:
        return profile
    may = tuple(cap for cap in profile.cap_may_add if cap in floor.capabilities)
    return profile._replace(cap_may_add=may)


def added(profile: Profile, config: Config) -> tuple[str, ...]:
    """The capabilities that the config asks for beyond those of the profile, each once."""
    requested = (setting.value for setting in config.capabilities)
    return tuple(dict.fromkeys(cap for cap in requested if cap not in profile.cap_add))


def refuse(profile: Profile, config: Config, trusted: bool, how_to_grant: str) -> None:
    """Refuse capabilities that the profile forbids, or that need a grant which the user did not give.

    :param how_to_grant: the hint of the error if only the grant is missing
    :raises UsageError: a capability may not be added
    """
    requested = added(profile, config)
    for cap in requested:
        if cap not in profile.cap_may_add:
            allowed = ", ".join(f"`{name}`" for name in profile.cap_may_add)
            raise UsageError(
                f"profile `{profile.name}` does not allow capability `{cap}`",
                f"it allows {allowed}"
                if allowed
                else "take it out of `[capabilities] add` in sandboxd.toml, or choose another profile",
            )
    if requested and not trusted:
        names = ", ".join(f"`{cap}`" for cap in requested)
        raise UsageError(
            f"profile `{profile.name}` does not have {names}, so sandboxd.toml alone cannot add it",
            how_to_grant,
        )


def capabilities(profile: Profile, config: Config, notes: Notes) -> tuple[Value[str], ...]:
    """The profile's capabilities, then those asked for, which `refuse` has checked."""
    why = "package managers need it for files of the image"
    values = [notes.value("cap_add", cap, cap, why) for cap in profile.cap_add]
    for setting in config.capabilities:
        name = setting.value
        if name not in profile.cap_add:
            values.append(notes.value("cap_add", name, name, "asked for", "config", setting.place))
    return tuple(values)
