"""The screens of the README and of the pages to start with, run in order, each page in its own
copy of the sample project: they show what really happens."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.readme import PLAYED, Screen, blocks, differences, screens
from tests.patience import eventually

pytestmark = [pytest.mark.engine, pytest.mark.gvisor]


def play(screen: Screen, run: Callable[[str], str]) -> str:
    """What its command prints; of `status`, which a daemon answers by what it has heard so far, once it is as shown."""
    if screen.command != "sandboxd status":
        return run(screen.command)
    seen = ""

    def is_as_shown() -> bool:
        nonlocal seen
        seen = run(screen.command)
        return differences(screen.output, seen) == []

    eventually(is_as_shown, lambda: seen)
    return seen


@pytest.mark.parametrize("page", PLAYED)
def test_screens_are_real(
    page: str, demo_project: Path, engine: str, busybox_image: str, own_home: Path
) -> None:
    environment = {
        **os.environ,
        "DOCKER_HOST": engine,
        "COLUMNS": "80",
        "PYTHONUNBUFFERED": "1",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    # The pages name the config folder as it is where nothing else was set.
    del environment["XDG_CONFIG_HOME"]
    # They show what commands do that start the daemon, which is stopped at the end.
    del environment["SANDBOXD_NO_DAEMON"]
    for path in (demo_project, *demo_project.rglob("*")):
        os.chown(path, 1000, 1000)

    def run(command: str) -> str:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=demo_project,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert "this is a bug" not in done.stdout
        return done.stdout.replace(str(demo_project), "/home/ann/weather").replace(
            str(own_home), "/home/ann"
        )

    try:
        for block in blocks(page):
            if block.kind == "console" and not block.not_run:
                for screen in screens(block.body):
                    real = play(screen, run)
                    assert differences(screen.output, real) == [], f"{screen.command}:\n{real}"
    finally:
        run("sandboxd down")
        run("sandboxd daemon stop")
