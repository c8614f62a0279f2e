"""The question of trust: what a user is asked, and what it gives away, for the shell and editors alike."""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.config.model import Config
from sandboxd.errors import UsageError
from sandboxd.plan import capabilities, credentials, names, nested, profiles
from sandboxd.plan.floor import leaves_gvisor, loosened
from sandboxd.plan.profiles import Network, Profile, is_looser
from sandboxd.plan.project_hosts import NO_HOSTS, ProjectHosts
from sandboxd.plan.recipe import Recipe
from sandboxd.policy import trust
from sandboxd.policy.floor import Floor
from sandboxd.policy.trust import Grant

_NOT_SHOWN = ("name", "purpose", "faults", "needs_grant")


class Wanted(NamedTuple):
    """The grants that a project needs, and lines that say what they give away.

    The lines hold words of the repository: whoever shows them makes them printable.
    """

    grants: tuple[Grant, ...]
    lines: tuple[str, ...]


def wanted(
    workspace: str,
    config: Config,
    profile: Profile,
    recipe: Recipe | None,
    floor: Floor,
    hosts: ProjectHosts = NO_HOSTS,
) -> Wanted:
    """The grants that the project asks for; none where nothing needs one.

    :param profile: the one that the config names
    :param recipe: how the project's image is made, None where it is only named
    :param hosts: what the project's files name
    :raises UsageError: there is nothing to trust, or the policy forbids it
    """
    if config.path is None and recipe is None:
        raise UsageError(
            f"`{workspace}` has no sandboxd.toml to trust", "`sandboxd init` writes one"
        )
    if floor.no_trust:
        raise UsageError("the policy forbids grants", "`sandboxd policy` shows which file does")
    grants: list[Grant] = []
    lines: list[str] = []
    if loosened(profile, config, hosts=hosts):
        lines += _of_profile(profile, config)
        lines += _of_names(profile, config, hosts)
        lines += credentials.rights(config)
        grants.append(Grant(workspace, config.digest, profile.name))
    if recipe is not None:
        lines += _of_build(recipe)
        grants.append(Grant(workspace, recipe.digest, trust.BUILD))
    return Wanted(tuple(grants), tuple(lines))


def _of_profile(profile: Profile, config: Config) -> list[str]:
    """The controls that the config gives away, beside the default profile and what it does on its own."""
    # Controls that a stricter profile adds need no grant, and would hide the lines that do.
    lines = _differences(profiles.load("dev"), profile) if profile.needs_grant else []
    if config.wishes.layout is not None:
        lines.append(f"workspace: layout {config.wishes.layout.value}")
    if leaves_gvisor(profile, config, None):
        lines.append("runtime: gVisor where it works -> runc, which shares the host's kernel")
    for setting in config.wishes.shared_volumes:
        lines.append(f"volume: `{setting.value}` is shared with every project that names it")
    added = capabilities.added(profile, config)
    if added:
        lines.append(f"capabilities: beside the profile's own, {', '.join(added)}")
    if nested.is_wanted(config):
        lines.append(f"nested sandbox: {nested.PRICE}")
    return lines + [f"{fault.control}: {fault.why}" for fault in profile.faults]


def _differences(usual: Profile, profile: Profile) -> list[str]:
    lines = []
    for field in Profile._fields:
        if field in _NOT_SHOWN:
            continue
        before, after = _words(getattr(usual, field)), _words(getattr(profile, field))
        if before != after:
            lines.append(f"{field.replace('_', ' ')}: {before} -> {after}")
    return lines


def _of_names(profile: Profile, config: Config, hosts: ProjectHosts) -> list[str]:
    """A line for each name beyond those of the profile, with what it admits."""
    wishes, before = config.network, profile.network.mode
    lines = []
    mode = wishes.wanted_mode
    if mode is not None and is_looser(mode.value, before):
        lines.append(f"network: {before} -> {mode.value}")
    if before == "open":
        return lines
    beyond = names.beyond(wishes.allow or (), names.usual(profile, config, hosts))
    lines += [f"name: {each.value.in_full()}; {each.value.admits()}" for each in beyond]
    return lines + [
        f"name: {each.value.in_full()}, also at a private address; {each.value.admits()}"
        for each in wishes.private
    ]


def _of_build(recipe: Recipe) -> list[str]:
    """The commands that run on this machine, outside of every sandbox, when the image is built."""
    lines = [f"build: {recipe.sources()}, by the engine's builder"]
    if recipe.base:
        lines.append(f"on: the image `{recipe.base}`")
    return lines + [f"reads: `{part.path}`, {len(part.data)} bytes" for part in recipe.parts]


def _words(value: object) -> str:
    if isinstance(value, Network):
        return "allowed names" if value.mode == "allow" else value.mode
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return str(value).lower() if value or value is False else "none"
