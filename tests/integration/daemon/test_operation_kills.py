"""Clients and daemons are killed at any moment of `up`, `exec` and `down`; the next command mends it.

`SANDBOXD_KILLS` is how many are killed, 200 by default.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator

import pytest

from tests.integration.daemon.forker import Forker
from tests.integration.daemon.mending import mended
from tests.integration.daemon.world import World
from tests.integration.stub_engine import CONFIG, StubEngine
from tests.patience import eventually

KILLS = int(os.environ.get("SANDBOXD_KILLS", "200"))
_DAEMON_EVERY = 12
"""A daemon takes longer to start than a command: so often it is the daemon that is killed."""

COMMANDS = (["up"], ["exec", "-n", "--", "cat"], ["down"])


@pytest.fixture
def forker(world: World, engine: StubEngine) -> Iterator[Forker]:
    project = world.project(text=CONFIG)
    with Forker(world.environ, project) as process:
        yield process


@pytest.mark.parametrize("helped", [False, True], ids=["alone", "by the daemon"])
def test_nothing_is_orphaned_and_the_next_command_mends_it(
    world: World, engine: StubEngine, forker: Forker, helped: bool
) -> None:
    random.seed(7)
    project = world.home / "app"
    pid = world.start() if helped else 0
    if helped:
        # The daemon keeps what it generates, and empty files and folders in place of others.
        assert world.run("generate", cwd=project).returncode == 0
    files = {path.name for path in project.iterdir()}
    assert forker.run(["up"]) == 0
    engine.delay = 0.002
    problems: list[str] = []
    killed = 0
    for number in range(KILLS // 2):
        words = COMMANDS[number % len(COMMANDS)]
        command = forker.begin(words)
        time.sleep(random.random() * 0.12)
        of_daemon = helped and number % _DAEMON_EVERY == 0
        victim = pid if of_daemon else command
        os.kill(victim, random.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)))
        killed += 1
        if of_daemon:
            pid = world.start()
        code = forker.wait(command)
        if of_daemon and words == ["up"] and code not in (0, 1, 5):
            problems.append(f"{number}: {words} without its daemon: {code}: {forker.output()}")
        problems += [
            f"{number} {words}: {p}" for p in mended(forker, engine.of_projects, project, files)
        ]
    assert problems == []
    assert killed == KILLS // 2
    assert forker.run(["down"]) == 0
    eventually(lambda: engine.of_projects() == [])
    eventually(lambda: engine.running() == [])
