"""Started by the system: the files that say so, a socket that is handed over, "ready" at the end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys

import pytest

from sandboxd.daemon import units
from tests.integration.daemon.world import World
from tests.patience import PATIENCE, eventually


def test_what_it_writes_is_shown_and_can_be_undone(world: World) -> None:
    folder = world.home / ".config" / "systemd" / "user"
    shown = world.run("daemon", "install", "--show")
    assert shown.returncode == 0
    assert "ListenStream=" in shown.stdout and str(world.socket) in shown.stdout
    assert not folder.exists()
    world.run("daemon", "install")
    files = sorted(path.name for path in folder.iterdir())
    assert files == ["sandboxd.service", "sandboxd.socket"]
    undone = world.run("daemon", "install", "--undo")
    assert undone.returncode == 0
    assert list(folder.iterdir()) == []


def test_a_file_of_somebody_else_is_left_alone(world: World) -> None:
    folder = world.home / ".config" / "systemd" / "user"
    folder.mkdir(parents=True)
    (folder / "sandboxd.service").write_text("[Service]\nExecStart=/bin/true\n")
    for more in ([], ["--undo"]):
        result = world.run("daemon", "install", *more)
        assert result.returncode == 4
        assert "not ours" in result.stderr
    assert "ExecStart=/bin/true" in (folder / "sandboxd.service").read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_systemd_finds_nothing_wrong(world: World) -> None:
    world.run("daemon", "install")
    folder = world.home / ".config" / "systemd" / "user"
    result = subprocess.run(
        ["systemd-analyze", "--user", "verify", *map(str, sorted(folder.iterdir()))],
        env=world.environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    # An unknown key is a word on stderr and no failure.
    assert (result.returncode, result.stderr) == (0, "")


def test_a_launchd_agent_is_a_plist() -> None:
    import plistlib

    launchd = units.launchd({"HOME": "/Users/x&y"}, "/opt/python & co", 501)
    (unit,) = launchd.units
    assert unit.path == "/Users/x&y/Library/LaunchAgents/dev.sandboxd.daemon.plist"
    agent = plistlib.loads(unit.text.encode())
    assert agent["ProgramArguments"][0] == "/opt/python & co"
    assert agent["ProgramArguments"][-3:] == ["daemon", "run", "--background"]


def test_a_socket_that_is_handed_over_is_served_and_left_in_place(world: World) -> None:
    world.folder.mkdir(mode=0o700)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listener.bind(str(world.socket))
    finally:
        os.umask(before)
    listener.listen(16)
    ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ear.bind(str(world.home / "notify"))
    ear.settimeout(PATIENCE)
    script = (
        f"exec 3<&{listener.fileno()}; export LISTEN_PID=$$ LISTEN_FDS=1; "
        f"exec {sys.executable} -P -m sandboxd daemon run --background"
    )
    process = subprocess.Popen(
        ["bash", "-c", script],
        env={**world.environ, "NOTIFY_SOCKET": str(world.home / "notify")},
        pass_fds=(listener.fileno(),),
    )
    try:
        assert ear.recv(100) == b"READY=1"
        assert world.pid() == process.pid
        assert world.run("status").returncode == 0
        assert world.run("daemon", "stop").returncode == 0
        assert ear.recv(100) == b"STOPPING=1"
        assert process.wait(PATIENCE) == 0
        assert eventually(world.socket.exists)
    finally:
        process.kill()
        process.wait()
        listener.close()
        ear.close()
        shutil.rmtree(world.folder, ignore_errors=True)
