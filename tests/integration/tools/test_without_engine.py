"""What works without an engine, and the workflow that tries it on systems that are not here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
WORKFLOW: dict[Any, Any] = yaml.safe_load(
    (ROOT / ".github/workflows/other-systems.yml").read_text()
)


def test_all_of_it_works_here() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.without_engine"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": works") == 4


def test_the_workflow_runs_it_on_macos_and_windows_with_no_right_and_no_action_of_others() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    (job,) = WORKFLOW["jobs"].values()
    assert job["strategy"]["matrix"]["system"] == ["macos-latest", "windows-latest"]
    steps = job["steps"]
    assert all("uses" not in step and "${{" not in step["run"] for step in steps), (
        "what is put into a script can be a script"
    )
    *_, last = steps
    assert last["run"] == "python -m tools.without_engine"
    assert "requirements/runtime.txt" in steps[1]["run"]
    assert (ROOT / "requirements/runtime.txt").exists()
