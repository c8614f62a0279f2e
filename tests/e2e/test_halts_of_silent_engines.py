"""What the host replaces while the engine hangs: what runs inside is stopped by signals, and its bytes do not stay."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.life.sources import engine_process
from tests.e2e.watched import ENVRC, attack, halt_of, make_repository, state, watch
from tests.integration.daemon.world import World
from tests.patience import eventually

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


@pytest.fixture
def watched(world: World, project: Path) -> Iterator[Path]:
    yield from watch(world, make_repository(world, project))


def test_it_is_stopped_and_put_in_order_before_the_engine_answers(
    world: World, api: Engine, watched: Path
) -> None:
    envrc = watched / ".envrc"
    before = envrc.read_text()
    assert before.startswith(ENVRC)
    attack(api, watched, "while :; do echo evil > .envrc; done 2>/dev/null")
    process = engine_process(api)
    os.kill(process, signal.SIGSTOP)
    try:
        subprocess.run(["sed", "-i", "s/host/other/", ".envrc"], cwd=watched, check=True)
        eventually(lambda: (watched / ".envrc.halted").exists(), world.log)
        # Neither at once nor at the next attempts.
        for _ in range(30):
            assert envrc.read_text() == before
            time.sleep(0.1)
        screen = world.run("status", cwd=watched).stdout
        assert "cannot be halted" in screen.partition("\n\n")[0].replace("\n  ", " "), screen
    finally:
        os.kill(process, signal.SIGCONT)
    assert [entry.path for entry in halt_of(world, watched).entries] == [".envrc"]
    eventually(lambda: state(api, watched) == "paused", world.log)
    assert envrc.read_text() == before
    assert not (watched / ".envrc.halted-2").exists()
