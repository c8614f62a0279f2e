"""Whenever it is killed, a later start makes both sides the same, and what anybody wrote is still there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("inside", ["folder", "wire"])
def test_each_step(tmp_path: Path, inside: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.sync.kills", str(tmp_path), inside],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout) > 50
