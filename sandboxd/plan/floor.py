"""The floor applied to what a project asks for: it takes away, or refuses with the file's name."""

from __future__ import annotations

from sandboxd.config import Config, Setting
from sandboxd.errors import UsageError
from sandboxd.plan.profiles import Profile
from sandboxd.policy.floor import Floor


def apply(profile: Profile, config: Config, floor: Floor, granted: bool) -> tuple[Profile, Config]:
    """Profile and config as far as the floor, and the user's trust, allow them.

    :raises UsageError: the profile may not be chosen here
    """
    if floor.profiles is not None and profile.name not in floor.profiles:
        allowed = ", ".join(f"`{name}`" for name in sorted(floor.profiles)) or "none"
        raise UsageError(
            f"profile `{profile.name}` is not allowed by `{floor.path_of('profiles')}`",
            f"set `profile` in sandboxd.toml to one that is: {allowed}",
        )
    profile = with_layout(profile, config, floor, granted)
    if profile.needs_grant and (floor.no_trust or not granted):
        raise UsageError(
            f"profile `{profile.name}` takes controls away, so sandboxd.toml alone cannot choose it",
            f"`{floor.path_of('trust')}` forbids to trust it"
            if floor.no_trust
            else "look at the file, then run `sandboxd trust add`; or choose another profile",
        )
    if floor.gvisor:
        profile = profile._replace(gvisor="required")
    if floor.no_network:
        profile = profile._replace(network="none")
        if config.network is not None and config.network.value != "none":
            config = config._replace(network=None)
    if floor.capabilities is not None:
        may = tuple(cap for cap in profile.cap_may_add if cap in floor.capabilities)
        profile = profile._replace(cap_may_add=may)
    return profile, config


def needs_grant(profile: Profile, config: Config) -> bool:
    """Whether what the project asks for takes controls away, so that a user has to agree."""
    return profile.needs_grant or (
        profile.access == "copy" and _layout(config) == "bind"  # the host's folder is weaker
    )


def with_layout(profile: Profile, config: Config, floor: Floor, granted: bool) -> Profile:
    """`profile` with the layout that is asked for or demanded; a copy is always allowed.

    :raises UsageError: what is asked for is weaker than what profile or floor have
    """
    asked = _layout(config)
    if profile.access == "ro":
        if asked:
            raise UsageError(
                f"profile `{profile.name}` has the workspace read-only: it has no layout",
                "take `layout` out of `[workspace]` in sandboxd.toml, or choose another profile",
            )
        return profile
    if asked == "bind" and floor.clone:
        raise UsageError(
            f"sandboxd.toml asks for the layout `bind`, and `{floor.path_of('layout')}` demands `clone`",
            "take `layout` out of `[workspace]` in sandboxd.toml",
        )
    if asked == "clone" or floor.clone:
        return profile._replace(access="copy")
    if asked == "bind" and profile.access == "copy":
        if floor.no_trust or not granted:
            raise UsageError(
                f"profile `{profile.name}` works on a copy, so sandboxd.toml alone cannot choose the "
                "host's folder itself",
                f"`{floor.path_of('trust')}` forbids to trust it"
                if floor.no_trust
                else 'look at the file, then run `sandboxd trust add`; or set `layout = "clone"`',
            )
        return profile._replace(access="rw")
    return profile


def _layout(config: Config) -> str:
    return config.wishes.layout.value if config.wishes.layout is not None else ""


def runtime(config: Config, floor: Floor) -> Setting[str]:
    """The runtime asked for; runc cannot be where the floor demands gVisor."""
    if floor.gvisor and config.runtime.value == "runc":
        raise UsageError(
            f"sandboxd.toml asks for `runc`, and `{floor.path_of('runtime')}` demands gVisor",
            'set `runtime = "auto"` in sandboxd.toml',
        )
    return config.runtime
