"""The names that a project may reach: the profile's own, those that sandboxd.toml asks for, and proposals. Pure.

A project's files select groups of names that ship with sandboxd, if the profile allows that. Any other host that they
name is only proposed to the user: a repository must not open a way out by itself.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sandboxd.config.model import Config, Setting
from sandboxd.egress import group, groups
from sandboxd.egress.entries import Entry, entry
from sandboxd.egress.policy import Decider, Policy, Rule
from sandboxd.plan.profiles import Profile
from sandboxd.plan.project_hosts import ProjectHosts

SOURCE = "sandboxd.toml"
"""The `Rule.source` of rules that come from the config."""


class Usual(NamedTuple):
    """An entry that the profile allows in a project without any config, and why."""

    entry: Entry
    why: str


class Proposal(NamedTuple):
    """A host that a file of the project, or of this user, names and that no rule allows."""

    host: str
    port: int
    file: str
    line: str
    """The line for sandboxd.toml that would allow the name, in addition to those that are allowed now."""
    variable: str = ""
    """The environment variable that tells a package manager of it; '' where the project's files do."""


def usual(profile: Profile, config: Config, facts: ProjectHosts) -> tuple[Usual, ...]:
    """The entries that the profile allows in this project by itself. Of the config only the image matters."""
    if profile.network.mode != "allow":
        return ()
    listed = [Usual(entry(text), "of the profile") for text in profile.network.allow]
    by_files = chosen_by_files(profile, config, facts)
    return (*listed, *(each for each in by_files if _was_chosen(each, facts)))


def added_since_start(profile: Profile, config: Config, facts: ProjectHosts) -> tuple[Usual, ...]:
    """Entries that the project's files select now but did not when the sandbox started; the sandbox may have caused
    that.
    """
    by_files = chosen_by_files(profile, config, facts)
    return tuple(each for each in by_files if not _was_chosen(each, facts))


def chosen_by_files(profile: Profile, config: Config, facts: ProjectHosts) -> tuple[Usual, ...]:
    """The shipped groups that the project's present files select; () if the profile does not allow that."""
    if profile.network.mode != "allow" or not profile.network.by_files:
        return ()
    listed = []
    every = (*facts.images, config.image.value if config.image is not None else "")
    # The first of each name: what lies at the top comes before what lies deeper.
    paths = {path.rpartition("/")[2]: path for path in reversed(facts.names)}
    for name in groups.names():
        why = _use(group.load(name).used_by, paths, every, facts)
        if why:
            listed.append(Usual(Entry(name, group=name), why))
    return tuple(listed)


def not_checked(profile: Profile, config: Config, facts: ProjectHosts) -> str:
    """Why groups that the files selected at the start are not allowed, though their files may still be there.

    '' if there are no such groups, or sandboxd.toml itself lists what is allowed.
    """
    if not facts.is_cut or facts.chosen is None or config.network.allow is not None:
        return ""
    selected = {each.entry.group for each in chosen_by_files(profile, config, facts)}
    lost = [f"`{name}`" for name in facts.chosen if name not in selected]
    if not lost:
        return ""
    return (
        "the workspace has too many files near its top, so not all are checked, and none of those that are selects "
        f"{', '.join(lost)}"
    )


def _was_chosen(own: Usual, facts: ProjectHosts) -> bool:
    return facts.chosen is None or own.entry.group in facts.chosen


def beyond_profile(
    wanted: Iterable[Setting[Entry]], own: Iterable[Usual]
) -> tuple[Setting[Entry], ...]:
    """The settings in `wanted` that allow more than `own`, the profile's entries."""
    rules = rules_of(own)
    return tuple(setting for setting in wanted if not covered(setting.value, rules))


def covered(wanted: Entry, rules: Iterable[Rule]) -> bool:
    """Whether `rules` allow everything that `wanted` allows."""
    rules = tuple(rules)
    return all(any(_covers(one, rule) for one in rules) for rule in wanted.rules(SOURCE))


def rules_of(own: Iterable[Usual]) -> tuple[Rule, ...]:
    return tuple(rule for each in own for rule in each.entry.rules(SOURCE))


def rules(config: Config, own: Iterable[Usual]) -> tuple[Rule, ...]:
    """The rules of a policy: the config's entries if it has a list of them, else the profile's own."""
    listed = config.network.allow
    entries = [each.entry for each in own] if listed is None else [each.value for each in listed]
    entries += [setting.value for setting in config.network.private]
    return tuple(dict.fromkeys(rule for each in entries for rule in each.rules(SOURCE)))


def proposals(
    config: Config, facts: ProjectHosts, own: tuple[Usual, ...], policy: Policy
) -> tuple[Proposal, ...]:
    """The hosts that `policy` does not allow and that the project's files name, or this user's settings of a package
    manager whose usual hosts are allowed.
    """
    decider = Decider(policy)
    listed = config.network.allow
    before = [each.entry.text for each in own] if listed is None else [s.value.text for s in listed]
    used = {each.entry.group for each in own}
    used |= {setting.value.group for setting in listed or ()}
    own_settings = {each.mention: each.variable for each in facts.mirrors if each.group in used}
    by_host = {}
    # What the project names comes last, and counts: its files tell the package manager, too.
    for mention in (*own_settings, *facts.remotes, *facts.settings):
        reason = decider.decide(mention.host, mention.port, 0.0).reason
        if reason in ("no-rule", "port"):
            text = mention.host if mention.port == 443 else f"{mention.host}:{mention.port}"
            line = ", ".join(f'"{word}"' for word in (*before, text))
            variable = own_settings.get(mention, "")
            by_host[mention.host, mention.port] = Proposal(*mention, f"allow = [{line}]", variable)
    return tuple(by_host.values())


def _use(
    used_by: group.UsedBy, paths: Mapping[str, str], images: Iterable[str], facts: ProjectHosts
) -> str:
    """The file, image or remote of the project that shows the use of a group, in words; '' where none does.

    :param paths: files and folders by their names
    """
    for pattern in used_by.files:
        path = paths.get(pattern) or _first(pattern, paths, facts.names)
        if path:
            return f"the project has `{path}`"
    for image in images:
        if not set(used_by.images).isdisjoint(re.split(r"[^a-z]+", image.lower())):
            return f"the project starts from the image `{image}`"
    for mention in facts.remotes:
        if mention.host in used_by.remotes:
            return f"a Git remote is at `{mention.host}`"
    return ""


def _first(pattern: str, paths: Mapping[str, str], every: Iterable[str]) -> str:
    """The first path that matches a pattern; '' where none does."""
    if "/" in pattern:
        return next(iter(fnmatch.filter(every, pattern)), "")
    return (
        next((paths[name] for name in fnmatch.filter(paths, pattern)), "") if "*" in pattern else ""
    )


def _covers(wide: Rule, narrow: Rule) -> bool:
    if not set(narrow.ports) <= set(wide.ports) or (narrow.private and not wide.private):
        return False
    return wide.pattern.covers(narrow.pattern)
