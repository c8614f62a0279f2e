"""Running `sandboxd check` as a process."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.forked import run_forked
from tests.patience import PATIENCE

WEAK = """{
  // the team's container
  "image": "debian:12",
  "runArgs": ["--init", "--privileged"], // for the profiler
}
"""
HARDENED = WEAK.replace(', "--privileged"', "")
# The end of a run that looked for no hint.
HINTS = "hints: `sandboxd check --pedantic`"
FINE = '{ "image": "debian:12" }\n'


def check(
    folder: Path, *arguments: str, stdin: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    done = run_forked(
        ["check", *arguments],
        cwd=folder,
        env={**os.environ, **env},
        timeout=2 * PATIENCE,
        input=stdin,
    )
    assert "Traceback" not in done.stderr + done.stdout
    assert done.returncode != 3, done.stderr
    return done


def as_json(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(done.stdout)
    return data
