"""`status` on a real engine: what it says is what is there, a moment after it changed."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine.client import Engine
from tests.e2e import sandboxes
from tests.integration.daemon.world import World
from tests.patience import eventually

pytestmark = pytest.mark.engine


def row(world: World, project: Path, state: str) -> Any:
    """The project's row once it is in `state`: by what the engine tells, for else nobody looks for five minutes."""
    rows: list[Any] = []

    def is_shown() -> bool:
        found = world.status()["projects"]
        rows[:] = [each for each in found if each["path"] == str(project.resolve())]
        return [each["state"] for each in rows] == [state]

    eventually(is_shown, lambda: rows)
    return rows[0]


def running(world: World, project: Path, is_so: Callable[[Any], bool]) -> Any:
    """The row of the running sandbox once `is_so` is true of it: a daemon may have looked while it was being made."""
    rows: list[Any] = []

    def is_shown() -> bool:
        rows[:] = [row(world, project, "running")]
        return is_so(rows[0])

    eventually(is_shown, lambda: rows)
    return rows[0]


def is_as_planned(of_row: Any) -> bool:
    return of_row["drift"] == []


def controls(of_row: Any) -> dict[str, str]:
    return {item["name"]: item["state"] for item in of_row["in_force"]["controls"]}


def test_status_follows_the_sandbox_by_what_the_engine_tells(
    world: World, project: Path, runtime: str, api: Engine
) -> None:
    started = world.run("daemon", "start", cwd=project)
    assert started.returncode == 0, started.stderr
    world.pid()
    assert row(world, project, "not created")["in_force"] is None

    up = world.run("up", cwd=project)
    assert up.returncode == 0, up.stderr
    try:
        by_gateway = "names through the gateway"
        status_now = running(
            world,
            project,
            lambda of_row: (
                is_as_planned(of_row) and of_row["in_force"]["settings"]["network"] == by_gateway
            ),
        )
        states = controls(status_now)
        assert states["capabilities"] == "in force"
        assert states["own kernel"] == ("in force" if runtime == "gvisor" else "left out")
        assert states["no-new-privileges"] == "in force"
        screen = world.run("status", cwd=project).stdout
        assert "in force" in screen and "protected" not in screen

        container = up.stdout.strip()
        api.stop(container, 1)
        assert row(world, project, "stopped")["in_force"] is None
        api.remove(container)
        row(world, project, "not created")
    finally:
        world.run("down", cwd=project)


def test_drift_is_seen_when_the_config_moves_on(world: World, project: Path, runtime: str) -> None:
    assert world.run("daemon", "start", cwd=project).returncode == 0
    world.pid()
    assert world.run("up", cwd=project).returncode == 0
    try:
        text = (project / "sandboxd.toml").read_text()
        (project / "sandboxd.toml").write_text(text + '[network]\nmode = "none"\n')
        sandboxes.grant(project)
        words = "network: planned none, found sandboxd-"
        status_now = running(
            world, project, lambda of_row: any(words in text for text in of_row["drift"] or ())
        )
        assert "sandboxd up" in status_now["hint"]
    finally:
        world.run("down", cwd=project)


def test_a_profile_that_changes_while_it_runs_is_not_said_of_what_runs(
    engine: str, project: Path, runtime: str, shared_cache: None
) -> None:
    config = project / "sandboxd.toml"
    try:
        assert sandboxes.run(engine, project, "up").returncode == 0
        config.write_text(config.read_text().replace('"dev"', '"review"'))
        if runtime == "runc":
            sandboxes.grant(project)
        verdict = sandboxes.run(engine, project, "verify")
        assert "made as profile dev, judged by what is asked for now: review" in verdict.stdout
        assert "hint: `sandboxd up` makes it as profile review" in verdict.stderr
        screen = sandboxes.run(engine, project, "status").stdout
        assert "profile dev, asked for: review" in screen, screen
    finally:
        sandboxes.run(engine, project, "down")


def test_what_somebody_changes_at_the_running_sandbox_is_drift(
    world: World, engine: str, project: Path, runtime: str
) -> None:
    """The engine says so itself: nobody has to look, and no result of `verify` outlives it."""
    docker = ["docker", "-H", engine]
    assert world.run("daemon", "start", cwd=project).returncode == 0
    world.pid()
    up = world.run("up", cwd=project)
    assert up.returncode == 0, up.stderr
    container = up.stdout.strip()
    network = f"sandboxd-test-{os.getpid()}"
    subprocess.run([*docker, "network", "create", network], check=True, capture_output=True)
    try:
        running(world, project, is_as_planned)
        subprocess.run([*docker, "network", "connect", network, container], check=True)
        second = [f"network: planned {container}, found {container}, {network}"]
        running(world, project, lambda of_row: of_row["drift"] == second)
        subprocess.run([*docker, "network", "disconnect", network, container], check=True)
        running(world, project, is_as_planned)
        if runtime == "runc":  # runsc refuses it
            resize = ["update", "--memory=64m", "--memory-swap=64m", container]
            subprocess.run([*docker, *resize], check=True, capture_output=True)
            less = ["memory: planned 8589934592, found 67108864"]
            running(world, project, lambda of_row: of_row["drift"] == less)
    finally:
        world.run("down", cwd=project)
        subprocess.run([*docker, "network", "rm", network], check=True, capture_output=True)


def test_without_a_daemon_one_look_says_the_same(world: World, project: Path, runtime: str) -> None:
    assert world.run("up", cwd=project).returncode == 0
    try:
        once = json.loads(world.run("status", "--json", cwd=project).stdout)
        assert once["daemon"]["running"] is False
        (only,) = once["projects"]
        assert only["state"] == "running" and only["drift"] == []
        assert controls(only)["capabilities"] == "in force"
    finally:
        world.run("down", cwd=project)


def test_an_engine_that_goes_away_is_said_and_nothing_is_claimed(
    world: World, project: Path, engine: str, runtime: str
) -> None:
    """Through a relay that can be cut, so that the shared engine stays up."""
    relay_path = world.home / "relay.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(relay_path))
    listener.listen()
    open_sockets: list[socket.socket] = [listener]
    is_cut = threading.Event()

    def pump(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        finally:
            target.close()

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(engine.removeprefix("unix://"))
            open_sockets.extend((client, server))
            if is_cut.is_set():
                client.close()
                return
            for pair in ((client, server), (server, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    world.environ["DOCKER_HOST"] = f"unix://{relay_path}"
    assert world.run("daemon", "start", cwd=project).returncode == 0
    world.pid()
    row(world, project, "not created")
    os.unlink(relay_path)
    is_cut.set()
    for one in open_sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
    status_now = eventually(
        lambda: (seen := world.status())["projects"][0]["state"] == "unknown" and seen
    )
    assert status_now["host"]["engine"]["error"]
    assert status_now["projects"][0]["in_force"] is None


@pytest.mark.parametrize("with_daemon", [False, True])
def test_a_grant_of_the_start_is_known_to_every_screen(
    world: World, tmp_path: Path, busybox_image: str, api: Engine, with_daemon: bool
) -> None:
    """`agent` needs gVisor; `--allow-runc` let this container, and no other, have runc."""
    project = sandboxes.make_project(tmp_path / "ws", busybox_image, "runc", "agent")
    if with_daemon:
        assert world.run("daemon", "start", cwd=project).returncode == 0
        world.pid()

    def shown() -> Any:
        (status_now,) = json.loads(world.run("status", "--json", cwd=project).stdout)["projects"]
        return status_now

    up = world.run("up", "--allow-runc", cwd=project)
    assert up.returncode == 0, up.stderr
    try:
        # The daemon may have looked while it was being made.
        status_now = eventually(
            lambda: (
                (f := shown())["state"] == "running"
                and (f["problem"], f["drift"]) == (None, [])
                and f
            ),
            shown,
        )
        assert status_now["asked"]["runtime"] == "runc"
        drift = world.run("drift", "--json", cwd=project)
        assert drift.returncode == 0, drift.stderr
        by_drift = json.loads(drift.stdout)
        assert by_drift["drift"] == []
        names = {c["name"]: c["state"] for c in by_drift["controls"]}
        # The daemon may have looked before it had met the gateway.
        eventually(lambda: controls(shown()) == names, lambda: controls(shown()))
    finally:
        world.run("down", "--discard", cwd=project)
    eventually(lambda: "--allow-runc" in str(shown()["hint"]) + str(shown()["problem"]), shown)
