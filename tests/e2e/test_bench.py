"""`sandboxd bench` on a live engine: figures for each sandbox, and nothing left afterwards."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.model.labels import PROJECT, VOLUME
from tests.e2e import sandboxes

pytestmark = [pytest.mark.engine, pytest.mark.gvisor, pytest.mark.usefixtures("shared_cache")]


@pytest.fixture
def workspace(tmp_path: Path, busybox_image: str) -> Path:
    return sandboxes.make_project(tmp_path / "measured", busybox_image, "auto")


def left_over(api: Engine) -> list[str]:
    cache = Path(os.environ["XDG_CACHE_HOME"]) / "sandboxd"
    copies = [path.name for path in cache.iterdir() if path.name.startswith("bench-")]
    return copies + [c.name for c in api.containers(PROJECT) if "measured" in c.name]


def test_each_sandbox_gets_figures_and_recommend_shows_them(
    engine: str, api: Engine, workspace: Path, tmp_path: Path
) -> None:
    before = sandboxes.tree(workspace)
    report = tmp_path / "cost.html"
    done = sandboxes.run(
        engine, workspace, "bench", "--plain", "--rounds", "1", "--json", "--report", str(report)
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert [v["name"] for v in document["variants"]] == ["docker", "runc", "gvisor"]
    assert document["variants"][2]["runtime"].startswith("runsc")
    for row in document["rows"]:
        assert all(figure["milliseconds"] > 0 for figure in row["figures"].values()), row
    assert "walking the workspace" in report.read_text()
    assert sandboxes.tree(workspace) == before
    assert left_over(api) == []
    price = sandboxes.run(engine, workspace, "recommend", "--for", "development").stdout
    assert "measured here by `sandboxd bench`" in price


def test_a_command_of_the_user_is_measured_under_its_profile_only(
    engine: str, api: Engine, workspace: Path
) -> None:
    command = ["sh", "-c", "echo x >made-by-the-command; sleep 0.05"]
    done = sandboxes.run(engine, workspace, "bench", "--rounds", "1", "--json", "--", *command)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert [v["name"] for v in document["variants"]] == ["runc", "gvisor"]
    figures = document["rows"][0]["figures"]
    assert all(figure["milliseconds"] > 50 for figure in figures.values())
    assert not (workspace / "made-by-the-command").exists()
    assert left_over(api) == []


FILLS = """
mkdir -p out
for n in $(seq 60); do echo $n >out/$n; done
for n in $(seq 8); do cat out/* >/dev/null; done
"""


def test_changes_are_tried_and_the_result_is_kept(
    engine: str, api: Engine, workspace: Path
) -> None:
    """Many small files cost gVisor much, so both changes are tried, in the same rounds."""
    for _ in range(3):
        done = sandboxes.run(
            engine, workspace, "bench", "--rounds", "2", "--json", "--", "sh", "-c", FILLS
        )
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        # Where the machine stood still under runc, gVisor was the faster one: nothing is tried then.
        if document["trials"]:
            break
    assert document["own"] == "gvisor"
    assert [trial["line"] for trial in document["trials"]] == ['layout = "clone"', 'hot = ["out"]']
    for trial in document["trials"]:
        assert trial["why"] == "" and trial["milliseconds"] > 0, trial
        assert trial["low"] <= trial["ratio"] <= trial["high"]
    assert " x as long in gVisor as in runc; " in document["conclusion"]
    assert not (workspace / "out").exists()
    assert left_over(api) == []
    assert [each["Name"] for each in api.volumes(VOLUME) if "measured" in each["Name"]] == []
    status = json.loads(sandboxes.run(engine, workspace, "status", "--json").stdout)
    assert status["projects"][0]["measured"]["conclusion"] == document["conclusion"]
    price = sandboxes.run(engine, workspace, "recommend", "--for", "development").stdout
    assert "measured here by `sandboxd bench -- COMMAND`" in price


def test_a_command_that_fails_says_what_it_said(engine: str, api: Engine, workspace: Path) -> None:
    done = sandboxes.run(
        engine, workspace, "bench", "--rounds", "1", "--", "sh", "-c", "echo no such test; exit 3"
    )
    assert done.returncode == 2
    assert "fails in runc, profile dev: no such test" in done.stderr
    assert "hint:" in done.stderr
    assert left_over(api) == []


def test_a_profile_that_needs_gvisor_is_not_started_under_runc(
    engine: str, tmp_path: Path, busybox_image: str
) -> None:
    workspace = sandboxes.make_project(tmp_path / "strict", busybox_image, "auto", "agent")
    done = sandboxes.run(engine, workspace, "bench")
    assert done.returncode == 2
    assert "profile `agent` does not allow" in done.stderr
    assert "--allow-runc" in done.stderr
