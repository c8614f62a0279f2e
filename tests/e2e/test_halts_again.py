"""What is halted once more, or late: by a command of the engine, and with times that a program inside set."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.model.labels import PROJECT
from tests.e2e.watched import attack, git, halt_of, make_repository, state, up, watch
from tests.integration.daemon.world import World
from tests.patience import PATIENCE, eventually

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

FAR = 2_000_000_000


@pytest.fixture
def watched(world: World, project: Path) -> Iterator[Path]:
    """A repository whose sandbox runs and is watched by a daemon; its config includes a file of the work tree."""
    make_repository(world, project)
    (project / "conf").mkdir()
    (project / "conf/inc").write_text("[core]\n\tabbrev = 12\n")
    git(project, "config", "include.path", "../conf/inc")
    os.utime(project / "conf/inc", (FAR, FAR))
    yield from watch(world, project)


def test_what_runs_on_by_the_engine_is_put_aside_again(
    world: World, api: Engine, watched: Path
) -> None:
    attack(api, watched, "while :; do echo EVIL >> .envrc; sleep 0.02; done")
    text = (watched / ".envrc").read_text()
    (watched / "new").write_text(text + "# by the host\n")
    (watched / "new").rename(watched / ".envrc")
    halt_of(world, watched)
    eventually(lambda: state(api, watched) == "paused", world.log)
    (container,) = api.containers(f"{PROJECT}={watched}")
    envrc = watched / ".envrc"
    for _ in range(2):
        before = world.log().count("is halted: ")
        api.unpause(container.id)
        eventually(lambda before=before: world.log().count("is halted: ") > before, world.log)
        eventually(lambda: state(api, watched) == "paused", world.log)
        # It is paused before it is put aside.
        eventually(lambda: not envrc.exists() or "EVIL" not in envrc.read_text(), world.log)


def test_a_time_that_was_set_keeps_nothing_at_its_place(
    world: World, api: Engine, watched: Path, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    hook = "hk/pre-commit"
    script = f"mkdir -p hk; printf '#!/bin/sh\\ntouch {ran}\\n' > {hook}; chmod 755 {hook}"
    attack(api, watched, f"while :; do {script}; touch wrote; sleep 0.05; done")
    eventually((watched / "wrote").exists, world.log)
    git(watched, "config", "core.hooksPath", "hk")
    halt_of(world, watched)
    eventually(lambda: state(api, watched) == "paused", world.log)
    eventually(lambda: not (watched / "hk").exists(), world.log)
    git(watched, "commit", "-q", "--allow-empty", "-m", "x", check=False)
    assert not ran.exists()


def test_a_shell_whose_sandbox_is_halted_ends(world: World, api: Engine, watched: Path) -> None:
    with subprocess.Popen(
        world.command("shell", "--no-daemon"),
        cwd=watched,
        env=world.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as shell:
        assert shell.stdin is not None and shell.stderr is not None
        shell.stdin.write("touch waits\n")
        shell.stdin.flush()
        eventually((watched / "waits").exists, world.log)
        git(watched, "config", "core.hooksPath", "hk")
        halt_of(world, watched)
        try:
            assert shell.wait(PATIENCE) == 4
        finally:
            shell.kill()
        assert "acts upon `hk`" in shell.stderr.read()
    up(world, watched, "--recreate")
