"""What goes wrong under `up` and `exec`: an exit code, a reason, a next step, and nothing half-made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.model.labels import PROJECT
from tests.e2e import sandboxes
from tests.e2e.faulty_engine import Fault, faulty, refusal
from tests.e2e.sandboxes import make_project

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

FULL = refusal("failed to create the layer: no space left on device")


@pytest.fixture
def project(tmp_path: Path, api: Engine, busybox_image: str) -> Iterator[Path]:
    path = make_project(tmp_path / "ws", busybox_image, "runc")
    # Each runtime of this engine is tried first, so that a fault meets `up` itself.
    assert sandboxes.run(api.host, path, "explain-plan").returncode == 0
    # As `up` makes it itself: what it made has to go again.
    (path / ".git/commondir").unlink()
    yield path
    for container in of(api, path):
        api.remove(container)


def of(api: Engine, project: Path) -> list[str]:
    return [container.id for container in api.containers(f"{PROJECT}={project}")]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("/containers/create", FULL), "has no disk space left"),
        (Fault("/start", FULL), "has no disk space left"),
        (Fault("/containers/[0-9a-f]+/start"), "broke off in the middle of an answer"),
        (Fault("GET /v[0-9.]+/containers/[0-9a-f]+/json"), "broke off in the middle of an answer"),
        (Fault("GET /v[0-9.]+/images/sandboxd-busybox"), "broke off in the middle of an answer"),
    ],
    ids=["disk-at-create", "disk-at-start", "restart-at-start", "restart-after", "restart-before"],
)
def test_an_engine_that_fails_during_up(
    engine: str, api: Engine, tmp_path: Path, project: Path, fault: Fault, words: str
) -> None:
    files = sandboxes.tree(project)
    with faulty(engine, tmp_path, fault) as broken:
        done = sandboxes.run(broken, project, "up")
    assert done.returncode == 4, done.stderr
    assert words in done.stderr
    assert "hint:" in done.stderr
    assert of(api, project) == []
    assert sandboxes.tree(project) == files


def test_an_engine_that_restarts_while_a_container_is_made(
    engine: str, api: Engine, tmp_path: Path, project: Path
) -> None:
    """Nobody learns the id of what the engine made then; the next `up` finds it and makes it anew."""
    with faulty(engine, tmp_path, Fault("/containers/create")) as broken:
        done = sandboxes.run(broken, project, "up")
    assert done.returncode == 4
    assert "broke off" in done.stderr
    again = sandboxes.run(engine, project, "up")
    assert again.returncode == 0, again.stderr
    assert len(of(api, project)) == 1
    assert sandboxes.run(engine, project, "down").returncode == 0


def test_an_engine_that_restarts_during_exec(
    engine: str, tmp_path: Path, project: Path, api: Engine
) -> None:
    assert sandboxes.run(engine, project, "up").returncode == 0
    with faulty(engine, tmp_path, Fault("GET /v[0-9.]+/exec/[0-9a-f]+/json")) as broken:
        done = sandboxes.run(broken, project, "exec", "-n", "echo", "hi")
    assert (done.returncode, done.stdout) == (4, "hi\n")
    assert "broke off" in done.stderr
    assert sandboxes.run(engine, project, "exec", "-n", "true").returncode == 0
    assert sandboxes.run(engine, project, "down").returncode == 0


LONG = "/".join(["d" * 250] * 15)


@pytest.mark.parametrize(
    "name",
    ["two words: a,b", 'new\nline "quo', "-rf ünïcödé 工作", "$(id)%2e", LONG],
    ids=lambda name: ascii(name)[:12],
)
def test_a_workspace_of_any_name(
    engine: str, api: Engine, tmp_path: Path, busybox_image: str, name: str
) -> None:
    folder = make_project(tmp_path / name, busybox_image, "runc")
    started = sandboxes.run(engine, tmp_path, "up", f"--project={folder}")
    assert started.returncode == 0, started.stderr
    try:
        inside = sandboxes.run(
            engine, tmp_path, "exec", f"--project={folder}", "-n", "cat", "main.py"
        )
        assert inside.stdout == "print('hello')\n", inside.stderr
        assert sandboxes.run(engine, tmp_path, "drift", f"--project={folder}").returncode == 0
    finally:
        done = sandboxes.run(engine, tmp_path, "down", f"--project={folder}")
    assert done.returncode == 0, done.stderr
    assert of(api, folder) == []


def test_a_workspace_whose_path_is_longer_than_any_can_be(
    engine: str, api: Engine, tmp_path: Path, busybox_image: str
) -> None:
    """4,096 bytes: only a shell that went down step by step is there."""
    make_project(tmp_path / "ws", busybox_image, "runc")
    here = os.getcwd()
    try:
        os.chdir(tmp_path / "ws")
        for _ in range(17):
            os.mkdir("d" * 250)
            os.chdir("d" * 250)
        done = sandboxes.run(engine, Path("."), "up")
    finally:
        os.chdir(here)
    assert done.returncode in (2, 4), done.stderr
    assert "Traceback" not in done.stderr
    assert "hint:" in done.stderr
    assert api.containers(PROJECT) == [] or of(api, tmp_path / "ws") == []
