"""What holds for a sandbox of `sandboxd up` holds for one that a dev container client starts from the generated file."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.errors import EXIT_NOT_HELD
from sandboxd.halt import record
from sandboxd.halt.record import Reason
from sandboxd.life.end import remove
from sandboxd.model.labels import EDITOR, GATEWAY, MADE_BY, NETWORK, PROJECT
from tests.e2e import devcontainer_cli, sandboxes
from tests.e2e.watched import (
    attack,
    first_says_halted,
    git,
    halt_of,
    make_repository,
    state,
    until_watched,
    up,
)
from tests.integration.daemon.world import World
from tests.patience import PATIENCE, eventually

pytestmark = [pytest.mark.engine, pytest.mark.node, pytest.mark.usefixtures("shared_cache")]

COMPOSE_PROJECT = "com.docker.compose.project"
COMPOSE = '{"dockerComposeFile": "docker-compose.yml", "service": "app", "workspaceFolder": "/w"}'
SERVICE = "services:\n  app:\n    image: IMAGE\n    command: sleep 999\n    volumes: ['..:/w']\n"


class Client:
    """The dev container CLI, which editors use, on the file that was generated."""

    def __init__(self, world: World, project: Path) -> None:
        self._world, self._project = world, project

    def run(self, command: str, *words: str) -> subprocess.CompletedProcess[str]:
        main = self._project / ".devcontainer/devcontainer.json"
        beside = self._project / ".devcontainer/sandboxd/devcontainer.json"
        file = beside if beside.exists() else main
        where = ["--workspace-folder", str(self._project), "--config", str(file)]
        return subprocess.run(
            [devcontainer_cli.program(), command, *where, "--docker-path", "docker", *words],
            env=os.environ | self._world.environ,
            capture_output=True,
            text=True,
            timeout=5 * PATIENCE,
            check=False,
        )

    def up(self, *words: str) -> None:
        done = self.run("up", *words)
        assert done.returncode == 0, done.stderr[-3000:]

    def rebuild(self) -> None:
        """Remove the container and make it anew, at the second attempt if need be, as the hint of a halt says.

        The engine waits ten seconds for the end of a paused gVisor, kills its process then, and says that it cannot.
        """
        again = ("up", "--remove-existing-container")
        done = self.run(*again)
        if done.returncode != 0 and "docker rm -f" in done.stderr:
            done = self.run(*again)
        assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(params=["container", "compose"])
def way(request: pytest.FixtureRequest) -> str:
    """What the project's own files describe."""
    return str(request.param)


@pytest.fixture
def repository(world: World, project: Path, way: str, busybox_image: str, tmp_path: Path) -> Path:
    sandboxes.open_to_user(tmp_path)
    (project / ".devcontainer/devcontainer.json").unlink()
    if way == "compose":
        (project / ".devcontainer/devcontainer.json").write_text(COMPOSE)
        text = SERVICE.replace("IMAGE", busybox_image)
        (project / ".devcontainer/docker-compose.yml").write_text(text)
    return make_repository(world, project)


@pytest.fixture
def client(world: World, repository: Path) -> Client:
    return Client(world, repository)


@pytest.fixture
def end(world: World, api: Engine, repository: Path) -> Iterator[None]:
    yield
    # First, since it removes the gateway of what is gone.
    world.end()
    for label in (PROJECT, GATEWAY):
        for container in api.containers(f"{label}={repository}"):
            remove(api, container.id)
    for network in api.networks():
        is_ours = network.labels.get(NETWORK) == str(repository)
        if is_ours or network.labels.get(COMPOSE_PROJECT) == "myproject_devcontainer":
            api.remove_network(network.id)


@pytest.mark.usefixtures("end")
def test_it_is_as_safe_from_what_the_host_does(
    world: World, api: Engine, repository: Path, client: Client, tmp_path: Path
) -> None:
    world.start()
    assert world.run("daemon", "start", cwd=repository).returncode == 0
    client.up()
    (container,) = api.containers(f"{PROJECT}={repository}")
    assert container.labels[MADE_BY] == EDITOR
    until_watched(world, repository)

    evil = tmp_path / "EVIL"
    fsmonitor = f"'[core]\\n\\tfsmonitor = \"touch {evil}; false\"\\n'"
    git(repository, "config", "branch.main.description", "x")
    done = client.run("exec", "sh", "-c", f"printf {fsmonitor} >> .git/config")
    assert done.returncode == 0, done.stderr[-2000:]
    git(repository, "status")
    assert not evil.exists() and state(api, repository) == "running"

    attack(api, repository, f"while :; do echo 'touch {evil}' > .envrc; done 2>/dev/null")
    subprocess.run(["sed", "-i", "s/host/other/", ".envrc"], cwd=repository, check=True)
    assert halt_of(world, repository).reason is Reason.REPLACED
    envrc = repository / ".envrc"
    assert not envrc.exists() or str(evil) not in envrc.read_text()
    screen = eventually(lambda: first_says_halted(world, repository), world.log)
    assert "`.envrc` was " in screen
    assert "Rebuild Container" in screen
    for command in ("drift", "verify"):
        done = world.run(command, cwd=repository)
        assert "✗ PIN LOST: `.envrc`" in done.stdout + done.stderr, done
        assert done.returncode == EXIT_NOT_HELD

    assert client.run("up").returncode != 0
    assert state(api, repository) == "paused"
    times = world.log().count(f"mounts of `{repository}`")
    client.rebuild()
    until_watched(world, repository, times + 1)
    assert state(api, repository) == "running"

    attack(api, repository, f"while :; do mkdir .git; printf {fsmonitor} > .git/config; done 2>&-")
    (repository / ".git").rename(repository / ".git2")
    eventually(lambda: halt_of(world, repository).entries[0].path.startswith(".git"), world.log)
    assert state(api, repository) == "paused"
    config = repository / ".git/config"
    assert not config.exists() or str(evil) not in config.read_text()


@pytest.mark.parametrize("runtime", ["runc"])
@pytest.mark.parametrize("way", ["container"])
@pytest.mark.usefixtures("end")
def test_it_is_watched_though_nobody_told_the_daemon_of_its_project(
    world: World, api: Engine, repository: Path, client: Client
) -> None:
    assert world.run("generate", cwd=repository).returncode == 0
    client.up()
    screen = world.run("status", cwd=repository).stdout
    assert screen.startswith("! NOT WATCHED: no daemon runs, "), screen
    # Somebody works on another project, by the same engine.
    world.start()
    elsewhere = world.project("elsewhere")
    world.run("status", cwd=elsewhere)
    until_watched(world, repository)
    assert str(repository) not in world.run("status", "--all", cwd=elsewhere).stdout

    def is_watched() -> bool:
        return not world.run("status", cwd=repository).stdout.startswith("! NOT WATCHED")

    eventually(is_watched)
    (repository / ".envrc").unlink()
    halt_of(world, repository)
    assert state(api, repository) == "paused"


@pytest.mark.parametrize("runtime", ["runc"])
@pytest.mark.parametrize("way", ["container"])
@pytest.mark.usefixtures("end")
def test_beside_that_of_up_each_is_halted_and_ends_by_itself(
    world: World, api: Engine, repository: Path, client: Client
) -> None:
    assert world.run("generate", cwd=repository).returncode == 0
    world.start()
    up(world, repository)
    until_watched(world, repository)
    client.up()
    until_watched(world, repository, 2)
    of = {c.labels[MADE_BY]: c for c in api.containers(f"{PROJECT}={repository}")}

    def halted() -> list[str]:
        halts = record.of_sandbox(world.environ, str(repository))
        return sorted(halt.container for halt in halts if halt.ended is None)

    (repository / ".envrc").unlink()
    eventually(lambda: halted() == sorted(c.id for c in of.values()), world.log)
    eventually(
        lambda: f"✗ HALTED `{of[EDITOR].name}`" in first_says_halted(world, repository), world.log
    )
    for command in (["exec", "-n", "true"], ["up"], ["restart"], ["up", "--recreate"]):
        done = world.run(*command, cwd=repository)
        assert done.returncode == 4, (command, done.stderr)
        assert f"docker rm -f {of[EDITOR].id[:12]}" in done.stderr, (command, done.stderr)
    assert world.run("down", cwd=repository).returncode == 0
    assert halted() == [of[EDITOR].id]
    assert state(api, repository) == "paused"
    for command in (["exec", "-n", "true"], ["up"]):
        done = world.run(*command, cwd=repository)
        assert done.returncode == 4 and "is halted" in done.stderr, (command, done.stderr)
    remove(api, of[EDITOR].id)
    up(world, repository)
    assert world.run("exec", "-n", "true", cwd=repository).returncode == 0


HELD = {".config/mise": ".config", ".idea": ".idea"}
"""Folders on which tools of the host act, each with what a program inside can exchange."""


@pytest.mark.parametrize("folder", HELD)
@pytest.mark.usefixtures("end")
def test_a_link_that_a_program_inside_made_is_not_mounted(
    world: World, api: Engine, repository: Path, client: Client, tmp_path: Path, folder: str
) -> None:
    home = tmp_path / "home-of-user"
    (home / "mise").mkdir(parents=True)
    (home / "secret").write_text("secret")
    home.chmod(0o777)
    assert world.run("generate", cwd=repository).returncode == 0
    client.up()
    top = HELD[folder]
    assert client.run("exec", "mkdir", "-p", folder).returncode == 0
    assert world.run("generate", cwd=repository).returncode == 0
    # What is mounted from there is what the user made, as long as nobody exchanges it.
    client.up("--remove-existing-container")
    read = client.run("exec", "grep", "-c", f"/{top} ", "/proc/self/mountinfo")
    assert read.stdout.strip() == "1", read
    (container,) = api.containers(f"{PROJECT}={repository}")
    remove(api, container.id)
    (repository / top).rename(repository / "away")
    (repository / top).symlink_to(home)
    assert client.run("up").returncode != 0
    (container,) = api.containers(f"{PROJECT}={repository}")
    state = api.inspect(container.id)["State"]
    assert state["Status"] == "created" and "escapes the base directory" in state["Error"], state
    (repository / top).unlink()
    (repository / "away").rename(repository / top)
    client.up()
