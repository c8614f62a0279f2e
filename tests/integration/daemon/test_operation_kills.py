"""Clients and daemons are killed at any moment of `up`, `exec` and `down`; the next command mends it.

`SANDBOXD_KILLS` is how many are killed, 200 by default.
"""

from __future__ import annotations

import os
import random
import signal
import time

import pytest

from tests.integration.daemon.mending import Project, end, mended
from tests.integration.daemon.world import World
from tests.integration.stub_engine import CONFIG, StubEngine
from tests.patience import eventually

KILLS = int(os.environ.get("SANDBOXD_KILLS", "200"))
_DAEMON_EVERY = 12
"""A daemon takes longer to start than a command: so often it is the daemon that is killed."""

COMMANDS = (["up"], ["exec", "-n", "--", "cat"], ["down"])


@pytest.mark.parametrize("helped", [False, True], ids=["alone", "by the daemon"])
def test_nothing_is_orphaned_and_the_next_command_mends_it(
    world: World, engine: StubEngine, helped: bool
) -> None:
    random.seed(7)
    project = Project(world.environ, world.project(text=CONFIG))
    pid = world.start() if helped else 0
    if helped:
        # The daemon keeps what it generates, and empty files and folders in place of others.
        assert world.run("generate", cwd=project.folder).returncode == 0
    files = {path.name for path in project.folder.iterdir()}
    assert project.run(["up"])[0] == 0
    engine.delay = 0.002
    problems: list[str] = []
    killed = 0
    for number in range(KILLS // 2):
        words = COMMANDS[number % len(COMMANDS)]
        command = project.begin(words)
        time.sleep(random.random() * 0.12)
        of_daemon = helped and number % _DAEMON_EVERY == 0
        signal_number = random.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM))
        if of_daemon:
            os.kill(pid, signal_number)
        else:
            command.kill(signal_number)
        killed += 1
        if of_daemon:
            pid = world.start()
        code, text = end(command)
        if of_daemon and words == ["up"] and code not in (0, 1, 5):
            problems.append(f"{number}: {words} without its daemon: {code}: {text}")
        problems += [f"{number} {words}: {p}" for p in mended(project, engine.of_projects, files)]
    assert problems == []
    assert killed == KILLS // 2
    assert project.run(["down"])[0] == 0
    eventually(lambda: engine.of_projects() == [])
    eventually(lambda: engine.running() == [])
