"""How far a sandboxd.toml may loosen its profile's network: as policy minimum, the user's grant and the profile
allow.
"""

from __future__ import annotations

from collections.abc import Iterable

from sandboxd.config.model import Config, NetworkWishes, Setting
from sandboxd.egress.entries import Entry
from sandboxd.errors import UsageError
from sandboxd.plan import names
from sandboxd.plan.names import Usual
from sandboxd.plan.profiles import Profile, is_looser
from sandboxd.plan.project_hosts import ProjectHosts
from sandboxd.policy.floor import Floor


def limit(
    profile: Profile,
    config: Config,
    floor: Floor,
    trusted: bool,
    hosts: ProjectHosts,
    how_to_grant: str,
) -> tuple[Profile, Config]:
    """Limit the network of profile and config to what the policy minimum and the user's grant allow.

    :param trusted: whether the user trusts this content of sandboxd.toml
    :param how_to_grant: the hint of the error if only the grant is missing
    :raises UsageError: the config asks for more than profile, policy minimum or grant allow
    """
    if floor.no_network:
        none = profile.network._replace(mode="none")
        return profile._replace(network=none), config._replace(network=NetworkWishes())
    if floor.no_open_network:
        profile = _close(profile, config, floor)
    _refuse(profile, config, floor)
    if not trusted:
        settings = loosened(profile, config, hosts)
        if settings:
            listed = ", ".join(settings)
            raise UsageError(
                f"sandboxd.toml alone cannot loosen the network of profile `{profile.name}`: {listed}",
                how_to_grant,
            )
    return profile, config


def loosened(profile: Profile, config: Config, hosts: ProjectHosts) -> tuple[str, ...]:
    """A phrase for each thing that the config opens beyond the profile's network."""
    wishes, before = config.network, profile.network.mode
    wanted = wishes.wanted_mode
    settings = []
    if wanted is not None and is_looser(wanted.value, before):
        settings.append(f"network {wanted.value}")
    if before == "open":
        return tuple(settings)
    own = names.usual(profile, config, hosts)
    settings += [
        f"reach `{each.value.text}`" for each in names.beyond_profile(wishes.allow or (), own)
    ]
    settings += [f"reach `{each.value.text}` at a private address" for each in wishes.private]
    return tuple(settings)


def tightened(profile: Profile, config: Config, floor: Floor, hosts: ProjectHosts) -> NetworkWishes:
    """The part of the config's network settings that only takes away from the profile's network: it needs no grant."""
    wishes, network = config.network, profile.network
    if floor.no_open_network and network.mode == "open":
        network = network._replace(mode="allow", by_files=True)
    wanted = wishes.wanted_mode
    if wanted is not None and is_looser(wanted.value, network.mode):
        return NetworkWishes()
    listed = wishes.allow
    if listed is not None:
        if network.mode != "open":
            own = names.usual(profile._replace(network=network), config, hosts)
            beyond = names.beyond_profile(listed, own)
            listed = tuple(setting for setting in listed if setting not in beyond)
        listed = tuple(setting for setting in listed if not _outside(setting.value, floor))
    return NetworkWishes(wanted, listed)


def permitted(own: Iterable[Usual], floor: Floor) -> tuple[tuple[Usual, ...], tuple[Usual, ...]]:
    """The profile's entries that every list of the policy minimum allows, and those that some list does not."""
    inside: list[Usual] = []
    outside: list[Usual] = []
    for each in own:
        (outside if _outside(each.entry, floor) else inside).append(each)
    return tuple(inside), tuple(outside)


def _close(profile: Profile, config: Config, floor: Floor) -> Profile:
    """The profile with a closed network where a floor forbids the open one: names by the project's files."""
    wanted, network = config.network.wanted_mode, profile.network
    if wanted is not None and wanted.value == "open":
        raise UsageError(
            f"sandboxd.toml asks for an open network, and `{floor.path_of('network')}` forbids it",
            'set `[network] mode = "allow"`, and name what is reached in `allow`',
        )
    if network.mode == "open":
        network = network._replace(mode="allow", by_files=True)
    loosest = "allow" if network.loosest == "open" else network.loosest
    return profile._replace(network=network._replace(loosest=loosest, without_gateway="none"))


def _refuse(profile: Profile, config: Config, floor: Floor) -> None:
    """Refuse what no grant can allow."""
    wishes = config.network
    wanted = wishes.wanted_mode
    mode, loosest = profile.network.mode, profile.network.loosest
    loosest = mode if is_looser(mode, loosest) else loosest
    if wanted is not None and is_looser(wanted.value, loosest):
        has = "no network" if loosest == "none" else "names through a gateway at most"
        raise UsageError(
            f"profile `{profile.name}` has {has}, and sandboxd.toml asks for `{wanted.value}`",
            "take it out of `[network]` in sandboxd.toml, or choose another profile",
        )
    if wishes.private and floor.no_private:
        raise _forbidden(wishes.private[0], floor.path_of("network_private"), "private")
    for setting in (*(wishes.allow or ()), *wishes.private):
        path = _outside(setting.value, floor)
        if path:
            key = "private" if setting.value.private else "allow"
            raise _forbidden(setting, path, key)


def _forbidden(setting: Setting[Entry], path: str, key: str) -> UsageError:
    return UsageError(
        f"sandboxd.toml asks to reach `{setting.value.text}`, and `{path}` does not allow it",
        f"take it out of `[network] {key}` in sandboxd.toml",
    )


def _outside(entry: Entry, floor: Floor) -> str:
    """The file of the floor whose list does not hold `entry`, '' where all do."""
    paths = [demand.path for demand in floor.demands if demand.key == "network_allow"]
    for path, allowed in zip(paths, floor.network_allow, strict=True):
        held = [rule for each in allowed for rule in each.rules("floor")]
        # Whether an address may be private is another key's question.
        if not names.covered(entry._replace(private=False), held):
            return path
    return ""
