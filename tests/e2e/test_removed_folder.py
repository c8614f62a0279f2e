"""A project's folder that was removed while its sandbox runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.model.labels import PROJECT
from tests.e2e import sandboxes

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


def test_a_sandbox_whose_folder_was_removed_ends_by_its_path(
    engine: str, api: Engine, project: Path
) -> None:
    """Its gateway ends with it, which `docker rm` would leave."""
    assert sandboxes.run(engine, project, "up").returncode == 0
    shutil.rmtree(project)
    above = project.parent
    below = sandboxes.run(engine, above, "down", "--project", str(project / "src"))
    assert (below.returncode, "is not a folder" in below.stderr) == (2, True)
    done = sandboxes.run(engine, above, "down", "--project", str(project))
    assert done.returncode == 0, done.stderr
    assert "removed `" in done.stderr
    assert api.containers(f"{PROJECT}={project}") == []
    project.mkdir()
