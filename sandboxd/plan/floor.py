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


def runtime(config: Config, floor: Floor) -> Setting[str]:
    """The runtime asked for; runc cannot be where the floor demands gVisor."""
    if floor.gvisor and config.runtime.value == "runc":
        raise UsageError(
            f"sandboxd.toml asks for `runc`, and `{floor.path_of('runtime')}` demands gVisor",
            'set `runtime = "auto"` in sandboxd.toml',
        )
    return config.runtime
