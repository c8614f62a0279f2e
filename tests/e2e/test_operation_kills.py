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
from tests.integration.daemon.forker import Forker
from tests.integration.daemon.mending import mended
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
    project = sandboxes.make_project(world.home / "app", busybox_image, "runc")
    # The test's own state is not the world's.
    assert world.run("trust", "add", cwd=project).returncode == 0
    pid = world.start() if helped else 0
    assert world.run("generate", cwd=project).returncode == 0
    files = {path.name for path in project.iterdir()}

    def containers() -> Sequence[Summary]:
        return api.containers(f"{PROJECT}={project}")

    def gateways() -> list[str]:
        """A problem: of each sandbox there is one gateway, and of none there is none."""
        states = [gateway.state for gateway in api.containers(f"{GATEWAY}={project}")]
        expected = ["running"] if containers() else []
        return [] if states == expected else [f"gateways: {states} instead of {expected}"]

    problems: list[str] = []
    with Forker(world.environ, project) as forker:
        assert forker.run(["up", "--allow-runc"]) == 0, forker.output()
        for number in range(KILLS // 2):
            words = COMMANDS[number % len(COMMANDS)]
            command = forker.begin(words)
            time.sleep(random.random() * _SECONDS[words[0]])
            of_daemon = helped and number % _DAEMON_EVERY == 0
            victim = pid if of_daemon else command
            os.kill(victim, random.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)))
            if of_daemon:
                pid = world.start()
            forker.wait(command)
            containers_now = [
                *mended(forker, containers, project, files, "--allow-runc"),
                *gateways(),
            ]
            problems += [f"{number} {words}: {problem}" for problem in containers_now]
        assert forker.run(["down"]) == 0, forker.output()
    problems += gateways()
    assert problems == []
    assert containers() == []
