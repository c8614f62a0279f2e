"""The program by which a runtime is tried, run here."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sandboxd.host import trials
from sandboxd.host.trial_image import _program


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the trial's program is for x86-64")
def test_the_trial_program_prints_boot_id_and_version(tmp_path: Path) -> None:
    program = tmp_path / "show"
    program.write_bytes(_program())
    program.chmod(0o755)
    output = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    boot_id, version = output.splitlines()
    assert boot_id == trials.host_boot_id()
    assert version == Path("/proc/version").read_text().strip()
