"""No part of a check costs the square of a file's size: counted in calls, not in seconds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_check_grows_with_the_file_and_no_faster() -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/sizes.py", "--strict"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "functions that grow most" in done.stdout
