"""The table of known escapes: compared as upstream numbers, and silent where a number tells nothing."""

from __future__ import annotations

import re

import pytest

from sandboxd.host.facts import Component, Engine, HostFacts, Runtime
from sandboxd.host.known_escapes import ESCAPES, Escape
from sandboxd.host.versions import LABELS, affects, is_repackaged, parse, repair, warnings

BRANCHES = Escape("runc", ("X",), "w", ("1.2.8", "1.3.3", "1.4.0-rc.3"), "2025-11-05", "s")


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
    kernel = next(escape for escape in ESCAPES if escape.component == "kernel")
    assert affects(kernel, version, "Linux") is affected


def test_since_and_system() -> None:
    desktop = Escape(
        "docker-desktop", ("X",), "w", ("4.71.0",), "d", "s", "4.56.0", system="Darwin"
    )
    assert affects(desktop, "4.60.1", "Darwin")
    assert not affects(desktop, "4.55.0", "Darwin")
    assert not affects(desktop, "4.60.1", "Linux")


def test_gvisors_versions_are_days() -> None:
    assert parse("release-20240729.0") == parse("0.0~20240729.0") == ((20240729,), 1, 0)


@pytest.mark.parametrize("version", ["1.1.15+ds1", "26.1.5+dfsg1", "1.2.5-0ubuntu1", "1.7.24~ds1"])
def test_a_distributions_mark(version: str) -> None:
    assert is_repackaged(version)
    assert not is_repackaged("1.2.5")


def test_the_next_repair_is_of_the_own_branch() -> None:
    assert repair(BRANCHES, "1.2.5") == "1.2.8"
    assert repair(BRANCHES, "1.3.0") == "1.3.3"
    assert repair(BRANCHES, "1.1.15+ds1") == "1.2.8"


def test_every_entry_has_a_date_a_source_and_versions_that_parse() -> None:
    for escape in ESCAPES:
        assert escape.component in LABELS and escape.ids and escape.what
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", escape.date), escape
        assert "github.com" in escape.source, escape
        numbers = [parse(text) for text in escape.fixed]
        assert None not in numbers and numbers == sorted(numbers)  # type: ignore[type-var]
        assert not escape.since or parse(escape.since) is not None


def test_what_a_host_is_warned_of() -> None:
    engine = Engine(
        "unix:///x",
        kind="docker",
        version="29.5.0",
        product="Docker Desktop 4.44.2 (1)",
        components=(Component("runc", "1.2.8"), Component("containerd", "1.7.27")),
        runtimes=(Runtime("runsc", "/usr/bin/runsc", version="release-20180101.0", gvisor=True),),
    )
    components = {
        warned.component: warned for warned in warnings(HostFacts(system="Linux", engine=engine))
    }
    assert {"runc", "docker-desktop", "runsc"} == set(components)
    assert "CVE-2025-9074" in " ".join(
        w.message for w in warnings(HostFacts(system="Linux", engine=engine))
    )
    assert warnings(HostFacts()) == ()
