"""Several sandboxes of one repository side by side: each its own copy, name and end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.model.labels import PROJECT
from tests.e2e import sandboxes

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

NAMES = ("docs", "login")


@pytest.fixture
def project(tmp_path: Path, busybox_image: str, runtime: str) -> Path:
    return sandboxes.make_project(tmp_path / "shop", busybox_image, runtime, "agent")


def test_each_has_its_own_copy_and_none_touches_another(
    engine: str, api: Engine, project: Path
) -> None:
    def sandboxd(*words: str, code: int = 0) -> str:
        done = sandboxes.run(engine, project, *words)
        assert done.returncode == code, done.stderr
        return str(done.stdout + done.stderr)

    before = sandboxes.tree(project)
    try:
        for name in ("", *NAMES):
            sandboxd("up", "--allow-runc", f"--name={name}")
            sandboxd("exec", "-n", f"--name={name}", "--", "sh", "-c", f"echo {name} > mine.txt")
        for name in ("", *NAMES):
            assert sandboxd("exec", "-n", f"--name={name}", "cat", "mine.txt").strip() == name
            shown = sandboxd("review", "--diff", f"--name={name}")
            assert "A mine.txt" in shown and f"+{name}" in shown
            assert "is as planned" in sandboxd("drift", f"--name={name}")
        starts = sandboxd("audit", "--json", "--kind=start", "--project=.").splitlines()
        assert [json.loads(line)["facts"].get("sandbox", "") for line in starts] == ["", *NAMES]
        (row,) = json.loads(sandboxd("status", "--json"))["projects"]
        assert row["state"] == "running"
        assert row["beside"] == [{"name": name, "state": "running"} for name in NAMES]

        ended = sandboxd("down", "--name", "docs")
        assert "-docs-" in ended
        for command in ("review", "up"):
            assert f"`sandboxd {command} --name docs`" in ended
        assert "`sandboxd review --name docs --diff`" in sandboxd("review", "--name=docs")
        assert "no sandbox `docs` of" in sandboxd("exec", "-n", "--name=docs", "true", code=4)
        assert "+docs" in sandboxd("review", "--diff", "--name=docs")
        sandboxd("down")
        assert sandboxd("exec", "-n", "--name=login", "cat", "mine.txt").strip() == "login"
        assert "`--name login`" in sandboxd("exec", "-n", "true", code=4)
    finally:
        for name in ("", *NAMES):
            sandboxes.run(engine, project, "down", "--discard", f"--name={name}")
    assert sandboxes.tree(project) == before
    assert not [c for c in api.containers(PROJECT) if str(project) in c.labels[PROJECT]]


def test_a_copy_is_made_beside_a_sandbox_that_writes_the_folder_and_not_below_one(
    engine: str, project: Path, tmp_path: Path, busybox_image: str
) -> None:
    """A program that can write above a folder could exchange it, between our look and the mount."""
    above = sandboxes.make_project(tmp_path / "above", busybox_image, "runc")
    below = sandboxes.make_project(above / "below", busybox_image, "runc", "agent")
    assert sandboxes.run(engine, above, "up").returncode == 0
    try:
        refused = sandboxes.run(engine, below, "up", "--allow-runc")
        assert refused.returncode == 4 and "could exchange" in refused.stderr
    finally:
        sandboxes.run(engine, above, "down")

    agents = (project / "sandboxd.toml").read_text()
    (project / "sandboxd.toml").write_text(agents.replace('"agent"', '"dev"'))
    sandboxes.grant(project)
    try:
        assert sandboxes.run(engine, project, "up").returncode == 0
        refused = sandboxes.run(engine, project, "up", "--name=second")
        assert refused.returncode == 2 and "would write your folder itself" in refused.stderr
        (project / "sandboxd.toml").write_text(agents)
        assert sandboxes.run(engine, project, "up", "--name=second", "--allow-runc").returncode == 0
    finally:
        for name in ("", "second"):
            sandboxes.run(engine, project, "down", "--discard", f"--name={name}")
