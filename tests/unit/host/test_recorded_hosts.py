"""Each recorded machine, and what we make of it: a bug report becomes a line of this table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from sandboxd.cli.doctor_screen import as_json, render
from sandboxd.host.facts import HostFacts, from_raw
from sandboxd.platforms import platform_of

HOSTS = Path(__file__).parents[2] / "hosts"


class Expected(NamedTuple):
    gvisor: str | None
    why: str
    apparmor: bool | None
    rootless: bool
    first_step: str


EXPECTED = {
    "debian-13-runsc": Expected("runsc-sandboxd", "", False, False, "sandboxd init"),
    "debian-13-stock-runsc-fails": Expected(
        None,
        "`runsc` is not usable: this runsc cannot set up its own network on this kernel",
        False,
        False,
        "`sudo runsc install --runtime runsc-sandboxd -- --directfs=false --network=host",
    ),
    "debian-13-no-runsc": Expected(
        None, "no gVisor runtime is registered", False, False, "install runsc and register it"
    ),
    "debian-rootless-cgroup1": Expected(
        None, "no gVisor runtime is registered", False, True, "install runsc and register it"
    ),
    "macos-docker-desktop": Expected(
        None, "Docker Desktop runs containers in its own", False, False, "sandboxd init"
    ),
}


def load(name: str) -> HostFacts:
    return from_raw(json.loads((HOSTS / f"{name}.json").read_text()))


def test_every_recorded_host_is_judged_and_says_how_it_was_recorded() -> None:
    found = {path.stem: json.loads(path.read_text()) for path in HOSTS.glob("*.json")}
    assert found.keys() == EXPECTED.keys()
    for name, raw in found.items():
        assert raw["recorded"]["how"] in ("measured", "documented"), name
        assert raw["recorded"]["note"], name


@pytest.mark.parametrize("name", EXPECTED)
def test_verdict(name: str) -> None:
    facts, expected = load(name), EXPECTED[name]
    gvisor = facts.usable_gvisor()
    assert (gvisor.name if gvisor else None) == expected.gvisor
    if expected.why:
        assert platform_of(facts).why_no_gvisor(facts).why.startswith(expected.why)
    assert facts.engine is not None
    assert (facts.apparmor, facts.engine.rootless) == (expected.apparmor, expected.rootless)
    assert platform_of(facts).advice(facts).steps[0].startswith(expected.first_step)


@pytest.mark.parametrize("name", EXPECTED)
def test_screen_names_every_runtime_and_at_most_three_steps(name: str) -> None:
    facts = load(name)
    text = render(facts)
    assert text.startswith("gVisor: ")
    assert facts.engine is not None
    for runtime in facts.engine.runtimes:
        assert f"runtime  {runtime.name}" in text
        if runtime.why:
            assert runtime.why in text
    assert 1 <= len(text.partition("next:\n")[2].splitlines()) <= 3
    data = json.loads(json.dumps(as_json(facts)))
    assert data["gvisor"] == EXPECTED[name].gvisor
    assert [entry["runtime"] for entry in data["runtimes"]] == [
        runtime.name for runtime in facts.engine.runtimes
    ]


def test_a_runtime_that_failed_says_cause_and_fix() -> None:
    engine = load("debian-13-runsc").engine
    assert engine is not None
    missing = engine.runtime("runsc-missing")
    assert missing is not None and missing.usable is False
    assert missing.why == "its program `/usr/bin/nonexistent-runsc` does not exist"
    assert "daemon.json" in missing.fix
    plain = engine.runtime("runsc-plain")
    assert plain is not None and plain.usable is False
    assert "--network=host" in plain.fix


def test_ours_is_preferred_to_the_stock_runtime() -> None:
    facts = load("debian-13-runsc")
    assert facts.engine is not None
    stock = facts.engine.runtime("runsc")
    assert stock is not None and stock.usable and stock.gvisor and not stock.directfs_off()
    best = facts.usable_gvisor()
    assert best is not None and best.directfs_off()


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"engine": None},
        {"engine": {}},
        {"engine": []},
        {"engine": {"info": {"Runtimes": {"runsc": 3}, "SecurityOptions": "x"}, "trials": []}},
        {"engine": {"info": {"Runtimes": []}, "server_version": {"Components": [1, None]}}},
        {"engine": {"failure": {"case": 3, "detail": None}}},
        {"system": 1, "uid": True, "proc_version": ["x"], "cgroup2": "yes"},
    ],
)
def test_any_report_gives_facts(raw: dict[str, object]) -> None:
    facts = from_raw(raw)
    assert facts.usable_gvisor() is None
    assert render(facts)
    assert (facts.uid, facts.cgroup_version) == (None, None)


def test_unknown_is_not_no() -> None:
    facts = from_raw({"system": "Windows"})
    assert (facts.apparmor, facts.seccomp, facts.wsl, facts.cgroup_version) == (None,) * 4


def test_a_kernel_that_claims_to_be_gvisor_on_the_hosts_boot_is_not_believed() -> None:
    raw = json.loads((HOSTS / "debian-13-runsc.json").read_text())
    for trial in raw["engine"]["trials"].values():
        trial["boot_id"] = trial.get("host_boot_id")
    assert from_raw(raw).usable_gvisor() is None


def test_a_runtime_named_runsc_on_the_hosts_kernel_is_not_gvisor() -> None:
    raw = json.loads((HOSTS / "debian-13-runsc.json").read_text())
    trials = raw["engine"]["trials"]
    for name in ("runsc", "runsc-sandboxd"):
        trials[name] = trials["runc"]
    facts = from_raw(raw)
    assert facts.usable_gvisor() is None
    assert "host's own kernel" in platform_of(facts).why_no_gvisor(facts).why
