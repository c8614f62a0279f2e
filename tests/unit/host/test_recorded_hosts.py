"""Each recorded machine, and what we make of it: a bug report becomes a file beside the others.

`tests/hosts/NAME.txt` is what a person reads there: verdict, reason and next steps, pinned. After
`pytest --update` the difference is to be reviewed by eye.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from sandboxd.cli.commands import recommend as recommend_command
from sandboxd.config.model import Setting
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.host import platforms
from sandboxd.host.facts import HostFacts, Runtime
from sandboxd.host.facts.engine import explain_failure
from sandboxd.host.facts.raw_answers import from_raw
from sandboxd.host.platforms import name_of, platform_of
from sandboxd.plan import profiles
from sandboxd.plan.notes import Notes
from sandboxd.plan.recommend import PURPOSES, recommend
from sandboxd.plan.runtime import choose
from sandboxd.render.screens.doctor import as_json, brief, render
from sandboxd.screen import columns_of
from tests.expected import Expect
from tools.record_host import digest

HOSTS = Path(__file__).parents[2] / "hosts"


def load(name: str) -> HostFacts:
    return from_raw(json.loads((HOSTS / f"{name}.json").read_text()))


NAMES = sorted(path.stem for path in HOSTS.glob("*.json"))


def test_there_are_hosts_of_every_platform_and_each_says_how_it_was_recorded() -> None:
    assert len(NAMES) >= 25
    for name in NAMES:
        raw = json.loads((HOSTS / f"{name}.json").read_text())
        assert raw["recorded"]["how"] in ("measured", "documented", "transcribed"), name
        assert raw["recorded"]["note"], name
    assert {name_of(load(name)) for name in NAMES} == set(platforms.load())
    assert {path.stem for path in HOSTS.glob("*.txt")} == set(NAMES)


def test_a_platform_that_was_run_names_what_was_recorded_there() -> None:
    """Else its row says "from documentation"; a record that changes makes the row anew."""
    for name, platform in platforms.load().items():
        if platform.RUN is None:
            continue
        date.fromisoformat(platform.RUN.day)
        assert platform.RUN.records, name
        for record, told in platform.RUN.records.items():
            raw = json.loads((HOSTS / f"{record}.json").read_text())
            assert raw["recorded"]["how"] == "measured", record
            assert name_of(load(record)) == name, record
            assert told == digest(record), (
                f"`{record}` has changed: is what {name} says still true?"
            )


def screens(facts: HostFacts) -> str:
    """What `doctor` and `recommend` print, without the prices that are the same everywhere."""
    recommendations = [recommend(facts, purpose) for purpose in PURPOSES]
    advice = recommend_command.render(facts, recommendations).partition("\n\nprice\n")[0]
    return f"{render(facts)}\n\n{'-' * 60}\n{advice}\n"


@pytest.mark.parametrize("name", NAMES)
def test_verdict_reason_and_next_steps(name: str, expect: Expect) -> None:
    expect(HOSTS / f"{name}.txt", screens(load(name)))


def test_the_short_screen_fits_a_terminal_of_80_columns() -> None:
    lines = [line for name in NAMES for line in brief(load(name), 80).splitlines()]
    assert [line for line in lines if columns_of(line) > 80] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_host_is_judged_by_two_modules_of_one_rank(name: str) -> None:
    ranks = [p.PRIORITY for p in platforms.load().values() if p.matches(load(name))]
    assert len(ranks) == len(set(ranks))


@pytest.mark.parametrize("name", NAMES)
def test_screen_names_every_runtime_and_at_most_three_steps(name: str) -> None:
    facts = load(name)
    text = render(facts)
    assert facts.engine is not None
    for runtime in facts.engine.runtimes:
        assert f"runtime  {runtime.name}" in text
        if runtime.why:
            assert runtime.why in text
    assert 1 <= len(text.partition("next:\n")[2].splitlines()) <= 3
    data = json.loads(json.dumps(as_json(facts)))
    assert [entry["runtime"] for entry in data["runtimes"]] == [
        runtime.name for runtime in facts.engine.runtimes
    ]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_recommended_is_what_the_planner_does(name: str) -> None:
    facts = load(name)
    for purpose in PURPOSES:
        profile = profiles.load(purpose.profile)
        decision = recommend(facts, purpose).decision
        asked = Setting(purpose.asked, None)
        if decision.choice is not None:
            assert choose(profile, asked, facts, False, Notes("x")) == decision.choice
        else:
            with pytest.raises((EnvironmentFailure, UsageError)) as error:
                choose(profile, asked, facts, False, Notes("x"))
            assert error.value.message == decision.why


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


def test_a_crun_on_mixed_cgroups_says_how_podman_starts_at_all() -> None:
    message = (
        "crun: cgroups in hybrid mode not supported, drop all controllers from cgroupv2: "
        "OCI runtime error"
    )
    why, fix = explain_failure(message, Runtime("crun", "/usr/bin/crun"))
    assert "cgroup version 2 alone" in why
    assert "--runtime runc" in fix
