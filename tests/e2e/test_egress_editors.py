"""What an editor starts from the generated file reaches names through its gateway, and nothing without it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine.client import connect_from
from sandboxd.model.labels import GATEWAY, NETWORK, PROJECT
from sandboxd.plan.container_name import container_name
from tests.e2e import devcontainer_cli, sandboxes
from tests.e2e.internet_of_engine import (
    busybox_image,
    engine,
    host_facts,
    internet,
    private_engine,
    runtime,
)
from tests.e2e.outside import Outside
from tests.integration.daemon.world import World
from tests.patience import PATIENCE, eventually

__all__ = [
    "busybox_image",
    "engine",
    "host_facts",
    "internet",
    "private_engine",
    "runtime",
]

pytestmark = [pytest.mark.engine, pytest.mark.node, pytest.mark.usefixtures("shared_cache")]

NAMES = ("allowed.test", "evil.test")


@pytest.fixture
def project(tmp_path: Path, busybox_image: str, runtime: str) -> Path:
    folder = sandboxes.make_project(tmp_path / "weather", busybox_image, runtime)
    # Inside, the owner of the workspace reads what is mounted from below it.
    for path in tmp_path.parents[: len(tmp_path.parents) - 2]:
        path.chmod(path.stat().st_mode | 0o055)
    tmp_path.chmod(0o755)
    (folder / ".devcontainer/devcontainer.json").unlink()
    with (folder / "sandboxd.toml").open("a") as file:
        file.write('[network]\nallow = ["allowed.test:80"]\n')
    sandboxes.grant(folder)
    return folder


@pytest.fixture
def editor(engine: str, project: Path, internet: Outside) -> Iterator[Editor]:
    started = Editor(engine, project)
    yield started
    started.end()
    api = connect_from({"DOCKER_HOST": engine})
    for container in (*api.containers(PROJECT), *api.containers(GATEWAY)):
        api.remove(container.id)
    for network in api.networks():
        if network.labels.get(NETWORK) == str(project):
            api.remove_network(network.id)


class Editor:
    """The dev container CLI, as editors use it."""

    def __init__(self, engine: str, folder: Path) -> None:
        self.api = connect_from({"DOCKER_HOST": engine})
        self.folder = folder
        self.environ = os.environ | {"DOCKER_HOST": engine}

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        words = [devcontainer_cli.program(), command, "--workspace-folder", str(self.folder)]
        return subprocess.run(
            [*words, "--docker-path", "docker", *arguments],
            capture_output=True,
            text=True,
            env=self.environ,
            timeout=5 * PATIENCE,
            check=False,
        )

    def start(self) -> None:
        done = self.run("up")
        assert done.returncode == 0, done.stderr[-3000:]

    def reach(self, name: str, *, by_proxy: bool = True, seconds: int = 60) -> str:
        """What a page of `name` says, or how it fails.

        :param seconds: how long silence is waited for: few where nothing is to come
        """
        proxies = "" if by_proxy else "unset http_proxy HTTP_PROXY; "
        text = f"{proxies}wget -T {seconds} -q -O - http://{name}/ 2>&1"
        return self.run("exec", "sh", "-c", text).stdout

    def end(self) -> None:
        for container in self.api.containers(f"{PROJECT}={self.folder}"):
            self.api.remove(container.id)

    def gateways(self) -> int:
        return len(self.api.containers(f"{GATEWAY}={self.folder}"))

    def networks(self) -> int:
        return sum(
            network.labels.get(NETWORK) == str(self.folder) for network in self.api.networks()
        )


def seen(world: World, project: Path) -> tuple[str, str]:
    """State and reason of the network's control, as `drift` shows it."""
    answer = json.loads(world.run("drift", "--json", cwd=project).stdout)
    (control,) = [c for c in answer["controls"] if c["name"] == "network"]
    return control["state"], control["why"]


def outcomes(world: World, project: Path) -> set[tuple[str, str]]:
    """What was tried, by its names."""
    tried = json.loads(world.run("egress", "log", "--json", cwd=project).stdout)
    return {(line["outcome"], line["name"]) for line in tried["lines"]}


def row(world: World, project: Path) -> dict[str, Any]:
    """The project's own in `status`."""
    rows = json.loads(world.run("status", "--json", cwd=project).stdout)["projects"]
    return next(dict(row) for row in rows if row["path"] == str(project))


def test_an_editor_reaches_the_allowed_names_alone(
    editor: Editor, world: World, project: Path, internet: Outside
) -> None:
    world.start()
    assert world.run("daemon", "start", cwd=project).returncode == 0
    eventually(lambda: editor.networks() == 1)
    editor.start()
    eventually(lambda: editor.reach("allowed.test") == "outside for allowed.test\n")
    assert editor.reach("allowed.test", by_proxy=False) == "outside for allowed.test\n"
    assert "403" in editor.reach("evil.test")
    assert "bad address" in editor.reach("evil.test", by_proxy=False)
    assert "evil.test" not in internet.asked
    wanted = {("reached", "allowed.test"), ("denied", "evil.test")}
    eventually(lambda: wanted <= outcomes(world, project), lambda: outcomes(world, project))
    eventually(lambda: seen(world, project)[0] == "in force")

    def is_as_planned() -> bool:
        state = row(world, project)
        return bool(state["state"] == "running" and state["in_force"] and state["drift"] == [])

    # The daemon looks at a container again after each event of the engine.
    eventually(is_as_planned, lambda: row(world, project))
    settings = row(world, project)["in_force"]["settings"]
    assert settings["network"] == "names through the gateway"
    editor.end()
    eventually(lambda: editor.gateways() == 0)
    assert editor.networks() == 1, "the file names it"
    assert world.run("daemon", "forget", cwd=project).returncode == 0
    eventually(lambda: editor.networks() == 0)


def test_without_the_network_it_does_not_start_and_says_what_makes_it(
    editor: Editor, engine: str, project: Path
) -> None:
    done = sandboxes.run(engine, project, "generate")
    assert done.returncode == 0, done.stderr
    (network,) = [n for n in editor.api.networks() if n.labels.get(NETWORK) == str(project)]
    editor.api.remove_network(network.id)
    failed = editor.run("up")
    assert failed.returncode != 0
    name = container_name(str(project))
    assert f"network {name} not found" in failed.stderr
    assert "if-the-network-is-not-found=sandboxd daemon start" in failed.stderr
    text = (project / ".devcontainer/devcontainer.json").read_text()
    assert f"the network `{name}` is not found? `sandboxd daemon start`" in text


def test_without_a_daemon_nothing_is_reached_until_there_is_one(
    editor: Editor, engine: str, world: World, project: Path
) -> None:
    assert sandboxes.run(engine, project, "generate").returncode == 0
    editor.start()
    assert "outside" not in editor.reach("allowed.test", seconds=5)
    done = sandboxes.run(engine, project, "exec", "-n", "true")
    assert "its gateway is gone, so nothing gets out: `sandboxd daemon start`" in done.stderr
    drift = sandboxes.run(engine, project, "drift")
    assert drift.returncode == 6
    assert (
        "gateway: planned names through a gateway that runs, found its gateway is" in drift.stdout
    )
    world.start()
    assert world.run("daemon", "start", cwd=project).returncode == 0
    eventually(lambda: editor.reach("allowed.test") == "outside for allowed.test\n")


def test_the_end_of_another_sandbox_leaves_an_editor_its_gateway(
    editor: Editor, world: World, project: Path
) -> None:
    world.start()
    assert world.run("daemon", "start", cwd=project).returncode == 0
    eventually(lambda: editor.networks() == 1)
    editor.start()
    eventually(lambda: editor.gateways() == 1)
    (before,) = editor.api.containers(f"{GATEWAY}={project}")
    done = world.run("down", cwd=project)
    assert "was started by an editor and stays" in done.stderr
    assert [c.id for c in editor.api.containers(f"{GATEWAY}={project}")] == [before.id]
