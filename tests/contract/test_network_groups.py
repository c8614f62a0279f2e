"""Every group of hosts says where each host is documented, and none is wider than it must be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandboxd.config import reading
from sandboxd.egress import group, groups
from sandboxd.egress.entries import entry
from sandboxd.egress.suffixes import too_wide
from sandboxd.plan import profiles
from sandboxd.text import SourceText

FOLDER = Path(groups.__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))


def test_all_that_lie_there_are_offered() -> None:
    assert list(groups.names()) == NAMES
    assert {"pypi", "npm", "debian", "crates", "go", "github", "anthropic", "vscode"} <= {*NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_each_host_has_a_source_and_a_purpose(name: str) -> None:
    loaded = group.load(name)
    assert loaded.purpose and loaded.admits and loaded.hosts
    for host in loaded.hosts:
        assert re.match(r"https://[\w.-]+\.[a-z]+/\S*$|https://[\w.-]+\.[a-z]+$", host.source), host
        assert host.why and not host.why.endswith(".")
        assert host.ports and {*host.ports} <= {22, 80, 443}


@pytest.mark.parametrize("name", NAMES)
def test_no_group_means_names_of_many_owners(name: str) -> None:
    for host in group.load(name).hosts:
        assert too_wide(host.pattern) == "", host
        # A wildcard below a name that one owner has registered is still his whole estate.
        assert not host.pattern.below or host.pattern.host.count(".") >= 2, host


def test_no_host_is_in_two_groups() -> None:
    hosts = [host.pattern for name in NAMES for host in group.load(name).hosts]
    assert sorted(hosts) == sorted(set(hosts))


@pytest.mark.parametrize("name", NAMES)
def test_each_is_understood_in_a_config(name: str) -> None:
    config, findings = reading.parse(
        SourceText("/p/sandboxd.toml", f'[network]\nallow = ["{name}"]\n')
    )
    assert config is not None, findings
    rules = entry(name).rules("x")
    assert {rule.source for rule in rules} == {f"group {name}"}
    assert not any(rule.private for rule in rules)


def test_profiles_name_groups_that_there_are() -> None:
    for name in profiles.names():
        for text in profiles.load(name).network.allow:
            assert entry(text).text == text
