"""`sandboxd` as a process on a machine whose engine does not answer."""

from __future__ import annotations

import os
import subprocess

from tests.forked import run_forked
from tests.patience import PATIENCE


class Result:
    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr


def sandboxd(*arguments: object) -> Result:
    environ = os.environ | {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
    return Result(
        run_forked([*map(str, arguments)], cwd=os.getcwd(), env=environ, timeout=2 * PATIENCE)
    )
