"""What weakens a sandbox is in the record before it is done, and not done where that fails; with a daemon and without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.integration.daemon.world import World
from tests.integration.stub_engine import StubEngine
from tests.patience import eventually


def entries(world: World, kind: str) -> list[dict[str, Any]]:
    lines = world.run("audit", "--json", "--kind", kind).stdout.splitlines()
    return [json.loads(line)["facts"] for line in lines]


def policy(world: World, text: str) -> None:
    folder = world.home / ".config" / "sandboxd"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policy.toml").write_text(text)


def test_a_start_records_what_the_policy_gave_back_before_it(
    world: World, engine: StubEngine, project: Path, helped: bool
) -> None:
    policy(world, 'network_deny = ["evil.example"]\n')
    assert world.run("up", cwd=project).returncode == 0
    assert entries(world, "policy") == []
    policy(world, "")
    assert world.run("up", "--recreate", cwd=project).returncode == 0
    assert [entry["gives_back"] for entry in entries(world, "policy")] == [["network_deny"]]


def test_a_daemon_records_it_without_any_command(
    world: World, engine: StubEngine, project: Path
) -> None:
    policy(world, 'network_deny = ["evil.example"]\n')
    world.start()
    assert world.run("generate", cwd=project).returncode == 0
    policy(world, "")
    eventually(lambda: entries(world, "policy"))
    assert len(entries(world, "policy")) == 1


def test_nothing_starts_on_what_the_policy_gave_back_unrecorded(
    world: World, engine: StubEngine, project: Path, helped: bool
) -> None:
    policy(world, 'network_deny = ["evil.example"]\n')
    assert world.run("generate", cwd=project).returncode == 0
    world.stop_recording()
    policy(world, "")
    up = world.run("up", cwd=project)
    assert up.returncode == 4, up.stderr
    assert engine.of_projects() == []


def test_nothing_starts_under_runc_unrecorded(
    world: World, engine: StubEngine, project: Path, helped: bool
) -> None:
    world.stop_recording()
    up = world.run("up", "--allow-runc", cwd=project)
    assert up.returncode == 4, up.stderr
    assert engine.of_projects() == []
