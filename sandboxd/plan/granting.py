"""The changes that a user is asked to trust, and the effect of each; for the command line and editors."""

from __future__ import annotations

import hashlib
import json
from typing import NamedTuple

from sandboxd.config.model import Config
from sandboxd.errors import UsageError
from sandboxd.plan import capabilities, chosen_limits, credentials, gpus, names, nested, profiles
from sandboxd.plan.extra_folders import path_of
from sandboxd.plan.floor import leaves_gvisor, loosened
from sandboxd.plan.profiles import Network, Profile, is_looser
from sandboxd.plan.project_hosts import NO_HOSTS, ProjectHosts
from sandboxd.plan.recipe import Recipe
from sandboxd.policy import trust
from sandboxd.policy.floor import Floor
from sandboxd.policy.trust import Grant

_NOT_SHOWN = ("name", "purpose", "faults", "needs_grant")


class Change(NamedTuple):
    """The change of one control by a grant. Its texts come from the repository, so they are hostile."""

    control: str
    after: str
    before: str = ""
    """The value without the grant; '' if `after` is an addition that replaces nothing."""

    @property
    def line(self) -> str:
        """The change on one line."""
        arrow = f"{self.before} -> " if self.before else ""
        return f"{self.control}: {arrow}{self.after}"


class Wanted(NamedTuple):
    """The grants that a project needs, and what each gives away.

    Its texts come from the repository: whoever shows them has to escape them.
    """

    grants: tuple[Grant, ...]
    changes: tuple[Change, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """One line for each change."""
        return tuple(change.line for change in self.changes)

    @property
    def digest(self) -> str:
        """A digest of grants and changes, to check that the user confirms what was shown."""
        return hashlib.sha256(json.dumps(self).encode()).hexdigest()


def wanted(
    workspace: str,
    config: Config,
    profile: Profile,
    recipe: Recipe | None,
    floor: Floor,
    hosts: ProjectHosts = NO_HOSTS,
) -> Wanted:
    """The grants that the project needs; without any if it needs none.

    :param profile: the profile that the config names
    :param recipe: how the project's image is built; None if it is only named
    :param hosts: the hosts that the project's files name
    :raises UsageError: the project asks for something that the policy forbids to grant
    """
    if config.path is None and recipe is None:
        raise UsageError(
            f"`{workspace}` has no sandboxd.toml to trust", "`sandboxd init` writes one"
        )
    if floor.no_trust:
        raise UsageError("the policy forbids grants", "`sandboxd policy` shows which file does")
    grants: list[Grant] = []
    changes: list[Change] = []
    if loosened(profile, config, hosts=hosts):
        changes += _of_config(profile, config, hosts) + _of_where(config)
        grants.append(Grant(workspace, config.digest, profile.name))
    if recipe is not None:
        changes += _of_build(recipe)
        grants.append(Grant(workspace, recipe.digest, trust.BUILD))
    return Wanted(tuple(grants), tuple(changes))


def given(
    grant: Grant,
    config: Config,
    profile: Profile,
    recipe: Recipe | None,
    hosts: ProjectHosts = NO_HOSTS,
) -> tuple[Change, ...]:
    """The changes that a grant permits while it is in force, but for the machine on which the work runs."""
    if grant.profile != trust.BUILD:
        return tuple(_of_config(profile, config, hosts))
    return tuple(_of_build(recipe)) if recipe is not None else ()


def _of_config(profile: Profile, config: Config, hosts: ProjectHosts) -> list[Change]:
    return [
        *_of_profile(profile, config),
        *_of_names(profile, config, hosts),
        *(Change("graphics processors", right) for right in gpus.rights(config)),
        *(Change("credential", right) for right in credentials.rights(config)),
    ]


def _of_profile(profile: Profile, config: Config) -> list[Change]:
    """The controls that the config removes, compared with the default profile."""
    # Controls that a stricter profile adds need no grant, and would hide those that do.
    changes = _differences(profiles.load("dev"), profile) if profile.needs_grant else []
    if config.wishes.layout is not None:
        changes.append(Change("workspace", f"layout {config.wishes.layout.value}"))
    if leaves_gvisor(profile, config, None):
        runc = "runc, which shares the host's kernel"
        changes.append(Change("runtime", runc, "gVisor where it works"))
    changes += [
        Change("volume", f"`{setting.value}` is shared with every project that names it")
        for setting in config.wishes.shared_volumes
    ]
    changes += [
        Change("hidden files", f"`{setting.value}` is shown to the sandbox, secrets included")
        for setting in config.wishes.show
    ]
    changes += [
        Change(
            "folder",
            f"`{path_of(config.workspace, setting.value)}` can be read inside, with all that is in it",
        )
        for setting in config.wishes.folders
    ]
    changes += [Change("limit", raised) for raised in chosen_limits.loosened(profile, config)]
    added = capabilities.added(profile, config)
    if added:
        changes.append(Change("capabilities", f"beside the profile's own, {', '.join(added)}"))
    if nested.is_wanted(config):
        changes.append(Change("nested sandbox", nested.PRICE))
    return changes + [Change(fault.control, fault.why) for fault in profile.faults]


def _differences(usual: Profile, profile: Profile) -> list[Change]:
    fields = [field for field in Profile._fields if field not in _NOT_SHOWN]
    rows = [
        (field, _words(getattr(usual, field)), _words(getattr(profile, field))) for field in fields
    ]
    return [
        Change(field.replace("_", " "), after, before)
        for field, before, after in rows
        if before != after
    ]


def _of_names(profile: Profile, config: Config, hosts: ProjectHosts) -> list[Change]:
    """A change for each host name beyond those of the profile, with what it admits."""
    wishes, before = config.network, profile.network.mode
    changes = []
    mode = wishes.wanted_mode
    if mode is not None and is_looser(mode.value, before):
        changes.append(Change("network", mode.value, before))
    if before == "open":
        return changes
    beyond = names.beyond_profile(wishes.allow or (), names.usual(profile, config, hosts))
    changes += [Change("name", f"{each.value.in_full()}; {each.value.admits()}") for each in beyond]
    return changes + [
        Change("name", f"{each.value.in_full()}, also at a private address; {each.value.admits()}")
        for each in wishes.private
    ]


def _of_where(config: Config) -> list[Change]:
    """The other machines that the config sends the work to."""
    if config.where is None:
        return []
    what = f"commands go to the cluster of your context `{config.where.value}`, and a copy of the workspace with them"
    return [Change("where", what, "this machine")]


def _of_build(recipe: Recipe) -> list[Change]:
    """The commands that run on this machine, outside of every sandbox, when the image is built."""
    changes = [Change("build", f"{recipe.sources()}, by the engine's builder")]
    if recipe.base:
        changes.append(Change("on", f"the image `{recipe.base}`"))
    return changes + [
        Change("reads", f"`{part.path}`, {len(part.data)} bytes") for part in recipe.parts
    ]


def _words(value: object) -> str:
    if isinstance(value, Network):
        return "allowed names" if value.mode == "allow" else value.mode
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return str(value).lower() if value or value is False else "none"
