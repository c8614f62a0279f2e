"""`sandboxd` as a process on a machine whose engine does not answer."""

from __future__ import annotations

import os
import subprocess
import sys


class Result:
    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr


def sandboxd(*arguments: object) -> Result:
    environ = os.environ | {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
    command = [sys.executable, "-m", "sandboxd", *map(str, arguments)]
    return Result(subprocess.run(command, capture_output=True, text=True, env=environ, check=False))
