"""Clients and daemons are killed at any moment of `up`, `exec` and `down` on a real engine.

`SANDBOXD_REAL_KILLS` is how many are killed, 16 by default.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Sequence

import pytest

from sandboxd.engine.client import Engine, Summary
from sandboxd.model.labels import GATEWAY, PROJECT
from tests.e2e import sandboxes
from tests.integration.daemon.mending import Project, end, mended
from tests.integration.daemon.world import World

pytestmark = pytest.mark.engine

KILLS = int(os.environ.get("SANDBOXD_REAL_KILLS", "16"))
_DAEMON_EVERY = 8
_SECONDS = {"up": 0.5, "exec": 0.25, "down": 0.3}
"""How long each takes at most, on a machine with nothing else to do."""

COMMANDS = (["up", "--allow-runc"], ["exec", "-n", "--", "sleep", "0.1"], ["down"])


@pytest.mark.parametrize("helped", [False, True], ids=["alone", "by the daemon"])
def test_nothing_is_orphaned_and_the_next_command_mends_it(
    world: World, api: Engine, busybox_image: str, helped: bool
) -> None:
    random.seed(7)
    folder = sandboxes.make_project(world.home / "app", busybox_image, "runc")
    project = Project(world.environ, folder)
    # The test's own state is not the world's.
    assert world.run("trust", "add", "--yes", cwd=folder).returncode == 0
    pid = world.start() if helped else 0
    assert world.run("generate", cwd=folder).returncode == 0
    files = {path.name for path in folder.iterdir()}

    def containers() -> Sequence[Summary]:
        return api.containers(f"{PROJECT}={folder}")

    def gateways() -> list[str]:
        """A problem: of each sandbox there is one gateway, and of none there is none."""
        states = [gateway.state for gateway in api.containers(f"{GATEWAY}={folder}")]
        expected = ["running"] if containers() else []
        return [] if states == expected else [f"gateways: {states} instead of {expected}"]

    problems: list[str] = []
    code, text = project.run(["up", "--allow-runc"])
    assert code == 0, text
    for number in range(KILLS // 2):
        words = COMMANDS[number % len(COMMANDS)]
        command = project.begin(words)
        time.sleep(random.random() * _SECONDS[words[0]])
        signal_number = random.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM))
        if helped and number % _DAEMON_EVERY == 0:
            os.kill(pid, signal_number)
            pid = world.start()
        else:
            command.kill(signal_number)
        end(command)
        problems_now = [*mended(project, containers, files, "--allow-runc"), *gateways()]
        problems += [f"{number} {words}: {problem}" for problem in problems_now]
    code, text = project.run(["down"])
    assert code == 0, text
    problems += gateways()
    assert problems == []
    assert containers() == []
