"""What the host does to a sandbox of rootless Docker and of Podman: git runs nothing of it, and what is replaced halts it.

A rootless engine that may make no control groups cannot pause a container: it ends what runs inside instead.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from sandboxd.engine.client import connect_from
from sandboxd.exchange.place import place_of
from sandboxd.halt import record
from sandboxd.halt.record import Halt
from sandboxd.halt.verdict import Action
from tests.e2e import sandboxes
from tests.e2e.test_other_engines import (
    ROOTLESS,
    USER,
    Started,
    home,
    missing_fact,
    podman,
    started,
)
from tests.e2e.watched import (
    attack,
    first_says_halted,
    git,
    halt_of,
    last_halt,
    make_repository,
    state,
    until_watched,
    up,
)
from tests.integration.daemon.world import World
from tests.patience import eventually
from tools.engine.image import import_busybox_image
from tools.engine.packages import find_program

__all__ = ["home"]


class Kind(NamedTuple):
    """An engine, and what its sandbox runs on."""

    is_rootless: bool
    runtime: str


@pytest.fixture(
    params=[
        pytest.param(Kind(True, "runc"), id="rootless"),
        pytest.param(Kind(True, "gvisor"), id="rootless-gvisor", marks=pytest.mark.gvisor),
        pytest.param(Kind(False, "runc"), id="podman"),
    ]
)
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    return chosen


@pytest.fixture
def other(kind: Kind, home: Path) -> Iterator[Started]:
    if not kind.is_rootless:
        if reason := missing_fact("podman", "runc"):
            pytest.skip(f"no Podman: {reason}")
        command, socket = podman(home, "--runtime", "runc"), home / "podman.sock"
    else:
        if reason := missing_fact("dockerd", ROOTLESS, "rootlesskit", "slirp4netns", "newuidmap"):
            pytest.skip(f"no rootless Docker: {reason}")
        runsc = find_program("runsc")
        if kind.runtime == "gvisor" and runsc is None:
            pytest.skip("no gVisor: `runsc` is not installed")
        arguments = ["--directfs=false", "--network=host", "--ignore-cgroups"]
        runtimes = {"runsc-sandboxd": {"path": runsc, "runtimeArgs": arguments}} if runsc else {}
        (home / "daemon.json").write_text(json.dumps({"runtimes": runtimes}))
        command = [
            *("sh", ROOTLESS, f"--data-root={home}/data", f"--exec-root={home}/run/docker"),
            f"--config-file={home}/daemon.json",
        ]
        socket = home / "run" / "docker.sock"
    with started(home, command, socket, user=kind.is_rootless) as engine:
        yield engine


@pytest.fixture
def world(own_home: Path, other: Started) -> Iterator[World]:
    # Below the engine's own folder, since a rootless one has another `/tmp`.
    folder = other.folder / "home"
    folder.mkdir()
    user = World(folder)
    user.environ["DOCKER_HOST"] = other.host
    try:
        yield user
    finally:
        user.end()


@pytest.fixture
def watched(kind: Kind, world: World, other: Started) -> Iterator[Path]:
    """A repository whose sandbox runs there, and is watched by a daemon."""
    image = import_busybox_image(other.host)
    project = sandboxes.make_project(other.folder / "project", image, kind.runtime)
    if not kind.is_rootless:
        with (project / "sandboxd.toml").open("a") as config:
            config.write('[network]\nmode = "none"\n')
    make_repository(world, project)
    if kind.is_rootless:
        # Who runs a rootless engine runs these tests, too, elsewhere: here it is another user.
        _give_to_user(project)
        Path(place_of(world.environ, str(project)).folder).mkdir(parents=True)
    world.start()
    up(world, project)
    until_watched(world, project)
    yield project
    world.run("down", "--discard", cwd=project)


def test_git_runs_nothing_from_inside_and_what_is_replaced_halts(
    kind: Kind, world: World, other: Started, watched: Path
) -> None:
    api = connect_from({"DOCKER_HOST": other.host})
    evil = other.folder / "EVIL"
    git(watched, "config", "branch.main.description", "x")
    plant = f"printf '[core]\\n\\tfsmonitor = \"touch {evil}; false\"\\n' >> .git/config"
    assert world.run("exec", "-n", "--", "sh", "-c", plant, cwd=watched).returncode == 0
    git(watched, "status")
    assert not evil.exists() and state(api, watched) == "running"

    before = (watched / ".envrc").read_text()
    attack(api, watched, f"while :; do echo 'touch {evil}' > .envrc; done 2>/dev/null")
    subprocess.run(["sed", "-i", "s/host/other/", ".envrc"], cwd=watched, check=True)
    halt = halt_of(world, watched)
    assert state(api, watched) == ("exited" if halt.is_stopped else "paused")
    (entry,) = halt.entries
    assert entry.path == ".envrc" and entry.outcome is not None
    if entry.outcome.action is Action.PUT_BACK:
        assert (watched / ".envrc").read_text() == before
    else:
        # The program inside wrote into what was mounted, just as its mount was taken away.
        assert not (watched / ".envrc").exists()
        git(watched, "checkout", "-q", "--", ".envrc")
        if kind.is_rootless:
            _give_to_user(watched)

    screen = eventually(lambda: first_says_halted(world, watched), world.log)
    assert "`.envrc` was " in screen
    assert "hint: `sandboxd up --recreate`" in screen
    for command in (["exec", "-n", "true"], ["up"], ["restart"]):
        done = world.run(*command, cwd=watched)
        assert done.returncode == 4 and "halted" in done.stderr, (command, done.stderr)
        assert state(api, watched) in ("paused", "exited")
    up(world, watched, "--recreate")
    assert world.run("exec", "-n", "true", cwd=watched).returncode == 0
    ended = last_halt(world, watched)
    assert ended is not None and ended.ended is record.Ended.REMADE

    # Each of them anew, as the daemon watches its container: what git itself replaces, and git's own folder.
    for number, (act, path) in enumerate(((_stash, ".envrc"), (_move_git, ".git")), 2):
        until_watched(world, watched, number)
        attack(api, watched, f"while :; do mkdir -p .git; {plant}; done 2>/dev/null")
        act(watched)
        halt = eventually(lambda: _open_halt(world, watched), world.log)
        assert [each.path for each in halt.entries if each.what is not None] == [path]
        assert state(api, watched) in ("paused", "exited")
        assert (
            not (watched / ".git/config").exists()
            or str(evil) not in (watched / ".git/config").read_text()
        )
        if not (watched / ".git").exists():
            (watched / ".git-old").rename(watched / ".git")
        if kind.is_rootless:
            _give_to_user(watched)
        up(world, watched, "--recreate")
        git(watched, "status")
        assert not evil.exists()


def _give_to_user(project: Path) -> None:
    for path in (project, *project.rglob("*")):
        os.lchown(path, USER, USER)


def _open_halt(world: World, project: Path) -> Halt | None:
    halt = last_halt(world, project)
    return halt if halt is not None and halt.ended is None else None


def _stash(project: Path) -> None:
    with (project / ".envrc").open("a") as file:
        file.write("export WIP=1\n")
    git(project, "stash", "-q")


def _move_git(project: Path) -> None:
    (project / ".git").rename(project / ".git-old")
