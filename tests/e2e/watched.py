"""A repository with a sandbox that a daemon watches, and what the tests of its halts do with it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from sandboxd.engine.client import Engine, Exec
from sandboxd.halt import record
from sandboxd.halt.record import Halt
from sandboxd.model.labels import PROJECT
from tests.e2e import sandboxes
from tests.integration.daemon.world import World
from tests.patience import eventually

ENVRC = "export NAME=host\n"


def make_repository(world: World, project: Path) -> Path:
    """Put a project under git, with a control file at its top and two commits of it; no sandbox yet."""
    shutil.rmtree(project / ".git")
    shutil.rmtree(project / "commondir")
    shutil.rmtree(project / ".devcontainer.json")
    (project / ".envrc").write_text(ENVRC)
    git(project, "init", "-q", "-b", "main")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "one")
    (project / ".envrc").write_text(ENVRC + "export MORE=1\n")
    git(project, "commit", "-qam", "two")
    sandboxes.give_to_user(project)
    assert world.run("trust", "add", "--yes", cwd=project).returncode == 0
    return project


def watch(world: World, repository: Path) -> Iterator[Path]:
    """Run its sandbox with a daemon that watches it, until the test ends."""
    world.start()
    up(world, repository)
    until_watched(world, repository)
    yield repository
    for folder in (repository, repository.with_name("moved")):
        if folder.exists():
            world.run("down", "--discard", cwd=folder)


def git(project: Path, *arguments: str, check: bool = True, **more: str) -> str:
    """The output of git as the host's user runs it.

    :param more: further variables of its environment
    """
    settings = ("user.name=a", "user.email=a@b", "safe.directory=*", "protocol.file.allow=always")
    words = [word for setting in settings for word in ("-c", setting)]
    # What git starts in a submodule takes no settings from the command line.
    environ = {
        f"GIT_CONFIG_{key}_0": value for key, value in (("KEY", "safe.directory"), ("VALUE", "*"))
    }
    environ |= {**os.environ, **more, "GIT_CONFIG_COUNT": "1"}
    done = subprocess.run(
        ["git", *words, *arguments],
        cwd=project,
        check=check,
        capture_output=True,
        text=True,
        env=environ,
    )
    return done.stdout


def up(world: World, project: Path, *options: str) -> str:
    done = world.run("up", *options, cwd=project)
    assert done.returncode == 0, done.stderr
    return done.stderr


def until_watched(world: World, project: Path, times: int = 1) -> None:
    words = f"mounts of `{project}`"
    eventually(lambda: world.log().count(words) >= times, world.log)


def halt_of(world: World, project: Path) -> Halt:
    """The halt that came, once its container is paused."""
    halt = eventually(lambda: last_halt(world, project), world.log)
    assert halt is not None
    return halt


def last_halt(world: World, project: Path) -> Halt | None:
    """The last halt of any of its containers, whether or not it ended."""
    return next(reversed(record.of_sandbox(world.environ, str(project))), None)


def first_says_halted(world: World, project: Path) -> str:
    """The screen of `status` if that is its first word; '' until the engine has told the daemon of its pause."""
    screen = world.run("status", cwd=project).stdout
    return screen if screen.startswith("✗ HALTED: ") else ""


def state(api: Engine, project: Path) -> str:
    (container,) = api.containers(f"{PROJECT}={project}")
    return str(api.inspect(container.id)["State"]["Status"])


def attack(api: Engine, project: Path, script: str) -> None:
    """Start a program inside that goes on."""
    (container,) = api.containers(f"{PROJECT}={project}")
    started = api.exec_create(container.id, Exec(["sh", "-c", script]))
    connection, _ = api.exec_start(started, False)
    connection.close()
