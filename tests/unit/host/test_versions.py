"""Known ways out: compared as upstream numbers and as packages, and silent where a number tells nothing."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from sandboxd.host.advisories import Affected, get, load_all
from sandboxd.host.advisories import parse as parse_advisory
from sandboxd.host.advisories.versions import (
    LABELS,
    affects,
    is_repackaged,
    parse,
    repair_of,
    warning,
    warnings,
)
from sandboxd.host.facts import Component, Engine, HostFacts, Runtime
from sandboxd.verify import attempts
from tools.advisories import stale

BRANCHES = Affected("runc", ("1.2.8", "1.3.3", "1.4.0-rc.3"))


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ("1.0.0", True),
        ("1.1.15+ds1", True),
        ("1.2.7", True),
        ("1.2.8", False),
        ("1.2.10", False),
        ("1.3.2", True),
        ("1.3.3", False),
        ("1.4.0-rc.2", True),
        ("1.4.0-rc.3", False),
        ("1.4.0", False),
        ("1.5.0-rc.1", False),
        ("v1.2.7", True),
        ("unknown", False),
        ("", False),
    ],
)
def test_branches(version: str, affected: bool) -> None:
    assert affects(BRANCHES, version, "Linux") is affected


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ("6.18.21", True),
        ("6.18.44", False),
        ("5.15.167.4-microsoft-standard-WSL2", True),
        ("6.10.14-linuxkit", True),
        ("7.0.3-arch1-1", False),
        ("4.9.1", False),
        ("6.8.0-71-generic", False),
        ("5.14.0-570.12.1.el9_6.x86_64", False),
        ("6.1.0-40-amd64", False),
    ],
)
def test_a_kernel_is_judged_only_where_its_number_counts_repairs(
    version: str, affected: bool
) -> None:
    kernel = next(a for a in get("CVE-2026-31431").affected if a.component == "kernel")
    assert affects(kernel, version, "Linux") is affected


def test_since_and_system() -> None:
    desktop = Affected("docker-desktop", ("4.71.0",), "4.56.0", "Darwin")
    assert affects(desktop, "4.60.1", "Darwin")
    assert not affects(desktop, "4.55.0", "Darwin")
    assert not affects(desktop, "4.60.1", "Linux")


def test_what_nobody_repaired_concerns_each_version() -> None:
    assert affects(Affected("vscode"), "99.0.0", "Linux")
    assert repair_of(Affected("vscode"), "99.0.0") == ""


def test_gvisors_versions_are_days() -> None:
    assert parse("release-20240729.0") == parse("0.0~20240729.0") == ((20240729,), 1, 0)


@pytest.mark.parametrize("version", ["1.1.15+ds1", "26.1.5+dfsg1", "1.2.5-0ubuntu1", "1.7.24~ds1"])
def test_a_distributions_mark(version: str) -> None:
    assert is_repackaged(version)
    assert not is_repackaged("1.2.5")


def test_the_next_repair_is_of_the_own_branch() -> None:
    assert repair_of(BRANCHES, "1.2.5") == "1.2.8"
    assert repair_of(BRANCHES, "1.3.0") == "1.3.3"
    assert repair_of(BRANCHES, "1.1.15+ds1") == "1.2.8"


def test_every_advisory_names_what_is_there() -> None:
    ids = {attempt.id for attempt in attempts.load()}
    for advisory in load_all():
        assert advisory.ids and advisory.effect and advisory.evidence and advisory.affected
        assert advisory.published <= advisory.reviewed, advisory.name
        assert advisory.source.startswith("https://"), advisory.name
        assert set(advisory.attempts) <= ids, advisory.name
        assert not advisory.needs or advisory.needs in HostFacts._fields, advisory.name
        for affected in advisory.affected:
            assert affected.component in LABELS, advisory.name
            numbers = [parse(text) for text in affected.fixed]
            assert None not in numbers and numbers == sorted(numbers)  # type: ignore[type-var]
            assert not affected.since or parse(affected.since) is not None


def test_a_file_with_an_unknown_key_is_no_advisory() -> None:
    with pytest.raises(ValueError, match="fixedin"):
        parse_advisory("x", {"fixedin": "1.0"})


def test_a_review_is_due_after_its_days() -> None:
    advisory = get("CVE-2024-21626")
    day = advisory.reviewed + datetime.timedelta(days=90)
    assert stale([advisory], day, 90) == ()
    assert stale([advisory], day + datetime.timedelta(days=1), 90) == (advisory,)


def _debian(package: str, **more: Any) -> HostFacts:
    engine = Engine("unix:///x", kind="docker", components=(Component("runc", "1.1.15+ds1"),))
    packages = (Component("runc", package),) if package else ()
    return HostFacts(
        "Linux", engine=engine, distribution="debian", release="trixie", packages=packages
    )._replace(**more)


def test_a_distributions_package_decides_where_it_is_known() -> None:
    repaired = warning(_debian("1.1.15+ds1-2+deb13u1"), "CVE-2026-41579")
    assert repaired is None
    old = warning(_debian("1.1.15+ds1-2+b4"), "CVE-2026-41579")
    assert old is not None and not old.repackaged
    assert "the package runc 1.1.15+ds1-2+deb13u1" in old.message


@pytest.mark.parametrize(
    "facts",
    [
        _debian(""),
        _debian("1.1.15+ds1-2+deb13u1", release="bookworm"),
        _debian("1.3.0+ds1-1"),
    ],
    ids=["no package seen", "another release", "another program than the package's"],
)
def test_without_its_package_a_distributions_number_is_a_question(facts: HostFacts) -> None:
    unsure = warning(facts, "CVE-2026-41579")
    assert unsure is not None and unsure.repackaged


def test_the_repair_that_a_package_does_not_name_stays_a_question() -> None:
    unsure = warning(_debian("1.1.15+ds1-2+deb13u1"), "CVE-2025-52881")
    assert unsure is not None and unsure.repackaged


@pytest.mark.parametrize(("cuse", "condition"), [(True, ""), (None, "where the host has CUSE")])
def test_gvisors_device_files_need_cuse(cuse: bool | None, condition: str) -> None:
    runtime = Runtime("runsc", "/usr/bin/runsc", version="release-20260817.0", gvisor=True)
    facts = HostFacts(engine=Engine("unix:///x", runtimes=(runtime,)), cuse=cuse)
    warned = warning(facts, "CVE-2026-96812")
    assert warned is not None and warned.condition.startswith(condition)
    assert bool(warned.condition) is bool(condition)
    assert warning(facts._replace(cuse=False), "CVE-2026-96812") is None


def test_podman_and_clients_are_judged_too() -> None:
    engine = Engine("unix:///x", kind="podman", version="5.7.0")
    facts = HostFacts(engine=engine, programs=(Component("vscode", "1.136.1"),))
    names = {warned.advisory.name for warned in warnings(facts)}
    assert {"CVE-2026-55686", "CVE-2026-44517", "vscode-335112"} <= names
    assert "CVE-2026-70335" not in names
    newer = facts._replace(programs=(Component("vscode", "1.136.2"),))
    assert "vscode-335112" not in {warned.advisory.name for warned in warnings(newer)}


def test_a_host_is_warned_of_the_known_escapes_of_its_versions() -> None:
    engine = Engine(
        "unix:///x",
        kind="docker",
        version="29.5.0",
        product="Docker Desktop 4.44.2 (1)",
        components=(Component("runc", "1.2.8"), Component("containerd", "1.7.27")),
        runtimes=(Runtime("runsc", "/usr/bin/runsc", version="release-20180101.0", gvisor=True),),
    )
    components = {
        warned.component: warned
        for warned in warnings(HostFacts(system="Linux", engine=engine))
        if not warned.condition
    }
    assert {"runc", "docker-desktop", "runsc"} == set(components)
    assert "CVE-2025-9074" in " ".join(
        w.message for w in warnings(HostFacts(system="Linux", engine=engine))
    )
    assert warnings(HostFacts()) == ()
