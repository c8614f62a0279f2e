"""What is tried of the gVisor build that is here: by real attacks on a real engine, which can succeed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sandboxd.engine.client import connect_from
from sandboxd.host import premises
from sandboxd.host.facts import PINS, HostFacts, Runtime
from sandboxd.host.memory import Memory
from sandboxd.host.premises import Subject
from sandboxd.host.probe import probe
from tests.e2e import sandboxes

pytestmark = [pytest.mark.engine, pytest.mark.gvisor]

HOSTS = Path(__file__).parents[1] / "hosts"


def runtime(facts: HostFacts, name: str) -> Runtime:
    assert facts.engine is not None
    entry = facts.engine.runtime(name)
    assert entry is not None, name
    return entry


def test_every_premise_is_tried_with_every_gvisor_runtime(host_facts: HostFacts) -> None:
    assert host_facts.engine is not None
    tried = [entry for entry in host_facts.engine.runtimes if entry.gvisor]
    assert tried
    for entry in tried:
        assert entry.premises_untried == ""
        assert {premise.name for premise in entry.premises} == set(premises.load())


def test_without_directfs_pins_hold(host_facts: HostFacts, runsc: str) -> None:
    assert runtime(host_facts, runsc).holds(*PINS)


def test_the_build_of_2024_is_seen_as_it_was_recorded(host_facts: HostFacts, runsc: str) -> None:
    version = runtime(host_facts, runsc).version or ""
    if "20240729" not in version:
        pytest.skip(f"another build is here: {version}")
    raw = json.loads((HOSTS / "debian-13-gvisor-2024.json").read_text())
    for name in ("runsc", runsc):
        recorded = raw["engine"]["premises"][name]["premises"]
        assert {p.name: p.holds for p in runtime(host_facts, name).premises} == {
            premise: entry["holds"] for premise, entry in recorded.items()
        }


def test_on_the_hosts_own_kernel_what_gvisor_alone_does_is_not_seen(engine: str) -> None:
    """The attacks tell one kernel from another: under runc a filter is in force, and a socket opens."""
    api = connect_from({"DOCKER_HOST": engine})
    runc = Subject("runc", "runc", (), None, "")
    answer = premises.run(api, api.info(), [runc], "k", Memory(None), None)["runc"]
    verdicts = {name: entry["holds"] for name, entry in answer["premises"].items()}
    assert verdicts["exec_filter"], answer
    assert not verdicts["host_sockets"], answer
    assert "a program on the host was reached" in answer["premises"]["host_sockets"]["detail"]


def test_a_build_is_tried_once_and_again_when_it_is_asked_for(
    engine: str, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[list[str]] = []
    run = premises.run

    def note(*arguments: object) -> object:
        names.append([subject.name for subject in arguments[2]])  # type: ignore[attr-defined]
        return run(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(premises, "run", note)
    environ = {**os.environ, "DOCKER_HOST": engine}
    waiting = probe(environ, trial=True, premises="remembered")
    assert names == [] and waiting.has_untried_build, "nobody waits for it"
    first = probe(environ, trial=True)
    assert not first.has_untried_build
    assert probe(environ, trial=True) == first
    assert [bool(entry) for entry in names] == [True, False]
    assert probe(environ, trial=True, premises="all") == first
    assert names[2] == names[0]


def test_the_plan_says_what_was_seen(
    host_facts: HostFacts, tmp_path: Path, busybox_image: str, runsc: str
) -> None:
    folder = sandboxes.make_project(tmp_path / "p", busybox_image, "gvisor")
    plan = sandboxes.plan_of(folder, host_facts)
    best = host_facts.usable_gvisor()
    assert best is not None
    reasons = {reason.item: reason.why for reason in plan.reasons if reason.field == "runtime"}
    details = {premise.name: premise.detail for premise in best.premises}
    word = "counts" if best.holds("exec_filter") else "does not count"
    assert reasons[f"seccomp {word} in `exec`"] == details["exec_filter"]
    left_open = [d.why for d in plan.downgrades if d.control == "seccomp"]
    assert bool(left_open) is not best.holds("exec_filter")
