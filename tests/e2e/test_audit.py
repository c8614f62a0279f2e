"""The life of a sandbox in the record, started by the command itself and by a daemon."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine.client import Engine
from tests.e2e import sandboxes
from tests.integration.daemon.world import World

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


def recorded(world: World, project: Path) -> list[dict[str, Any]]:
    shown = world.run("audit", "--json", cwd=project)
    assert shown.returncode == 0, shown.stderr
    return [json.loads(line) for line in shown.stdout.splitlines()]


@pytest.mark.parametrize("helped", [False, True], ids=["alone", "by the daemon"])
def test_the_life_of_a_sandbox(
    world: World, engine: str, api: Engine, busybox_image: str, helped: bool
) -> None:
    project = sandboxes.make_project(world.home / "app", busybox_image, "runc", granted=False)
    if helped:
        world.start()
    assert world.run("up", cwd=project).returncode == 2
    assert world.run("trust", "add", "--yes", cwd=project).returncode == 0
    up = world.run("up", "--allow-runc", cwd=project)
    assert up.returncode == 0, up.stderr
    container = api.inspect(up.stdout.strip())
    assert world.run("up", "--allow-runc", cwd=project).returncode == 0
    change = ["docker", "-H", engine, "update", "--pids-limit", "77", container["Id"]]
    subprocess.run(change, check=True, capture_output=True)
    assert world.run("drift", cwd=project).returncode == 6
    world.run("verify", cwd=project)
    assert world.run("down", cwd=project).returncode == 0

    entries = recorded(world, project)
    assert [entry["kind"] for entry in entries] == [
        "refused", "trust", "weakened", "widened", "start", "weakened", "drift", "verify", "network",
        "stop",
    ]  # fmt: skip
    facts = {entry["kind"]: entry["facts"] for entry in entries}
    assert {entry["project"] for entry in entries} == {str(project)}
    assert "trust add" not in facts["refused"]["why"] and facts["refused"]["why"]
    assert facts["start"]["container"] == container["Id"]
    assert facts["start"]["image"] == container["Image"]
    assert (facts["start"]["how"], facts["start"]["runtime"]) == ("created", "runc")
    assert len(facts["start"]["plan"]) > 10
    assert any("77" in each for each in facts["drift"]["differences"])
    assert facts["verify"]["outcomes"]["held"] > 50
    assert len(facts["stop"]["removed"]) == 1
    assert world.run("audit", "--verify", cwd=project).returncode == 0
