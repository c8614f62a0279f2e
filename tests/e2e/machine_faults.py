"""What happens to a whole machine: its engine restarts, or it is suspended for a while."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable
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


def suspend(running: private.Engine, containers: Iterable[int], more: Iterable[int]) -> None:
    """All stand still for a second, which none of them notices but by a clock that jumps.

    :param containers: the first process of each container
    :param more: further processes
    """
    pids = [*more, *processes.of_folder(running.folder)]
    for pid in containers:
        pids += map(int, Path(tasks_of(pid)).read_text().split())
    processes.end(pids, signal.SIGSTOP)
    time.sleep(1)
    processes.end(pids, signal.SIGCONT)


def tasks_of(pid: int) -> str:
    """The file that puts processes into the memory group of `pid`."""
    with open(f"/proc/{pid}/cgroup") as file:
        rows = [line.strip().split(":", 2) for line in file]
    for _, controllers, path in rows:
        if "memory" in controllers.split(","):
            return f"/sys/fs/cgroup/memory{path}/cgroup.procs"
    return f"/sys/fs/cgroup{rows[0][2]}/cgroup.procs"


def answers(docker_host: str) -> bool:
    try:
        connect_from({"DOCKER_HOST": docker_host}).info()
    except EnvironmentFailure:
        return False
    return True
