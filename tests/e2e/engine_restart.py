"""A restart of a private engine, as an update of the machine makes it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from sandboxd.engine.client import connect_from
from sandboxd.errors import EnvironmentFailure
from tests.patience import eventually
from tools.engine import private, processes


def restart(running: private.Engine) -> None:
    """End the engine's daemon alone, and start it again in the network that it had."""
    pid = int(Path(running.folder, "docker.pid").read_text())
    with open(f"/proc/{pid}/cmdline") as file:
        command = file.read().split("\0")[:-1]
    with open(f"/proc/{pid}/environ") as file:
        environ = dict(line.split("=", 1) for line in file.read().split("\0") if line)
    inside = ["nsenter", f"--target={pid}", "--net", "--mount", "--"]
    with subprocess.Popen([*inside, "cat"], stdin=subprocess.PIPE) as holder:
        eventually(lambda: os.readlink(f"/proc/{holder.pid}/exe").endswith("cat"))
        os.kill(pid, signal.SIGTERM)
        eventually(lambda: not processes.start_time(pid))
        inside[1] = f"--target={holder.pid}"
        with open(f"{running.folder}/dockerd.log", "ab") as log:
            subprocess.Popen(
                [*inside, *command], env=environ, cwd="/", start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        eventually(lambda: answers(running.docker_host))
        assert holder.stdin is not None
        holder.stdin.close()


def answers(docker_host: str) -> bool:
    try:
        connect_from({"DOCKER_HOST": docker_host}).info()
    except EnvironmentFailure:
        return False
    return True
