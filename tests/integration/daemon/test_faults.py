"""What machines and people do to a daemon: full disks, clocks that jump, folders that vanish."""

from __future__ import annotations

import contextlib
import os
import random
import re
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.daemon.world import World
from tests.patience import PATIENCE, eventually

GENERATED = ".devcontainer/devcontainer.json"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB of its own."""
    where = tmp_path / "disk"
    where.mkdir()
    mount = [
        "mount",
        "-t",
        "tmpfs",
        "-o",
        "size=2m,nr_inodes=500,mode=755",
        "sandboxd-test",
        str(where),
    ]
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("to mount a file system takes root")
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        yield where
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)


def keep_project(world: World, folder: Path) -> Path:
    """Have the daemon keep a project in `folder`; its generated file."""
    started = world.run("daemon", "start", cwd=folder)
    assert started.returncode == 0, started.stderr
    world.pid()
    return folder / GENERATED


def save(folder: Path, image: str) -> None:
    new = folder / "new"
    new.write_text(f'profile = "dev"\nimage = "{image}"\n')
    new.rename(folder / "sandboxd.toml")


def row(world: World, folder: Path) -> dict[str, str]:
    (project,) = [p for p in world.settled()["projects"] if p["path"] == str(folder)]
    return dict(project)


def test_a_full_disk_is_said_and_nothing_is_lost(world: World, small_disk: Path) -> None:
    project = small_disk / "app"
    project.mkdir()
    save(project, "first")
    generated = keep_project(world, project)
    before = generated.read_bytes()
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 1024)
    # In place: a new file would not fit.
    with (project / "sandboxd.toml").open("r+") as config:
        config.write('profile = "dev"\nimage = "other"\n')
    eventually(lambda: row(world, project).get("problem"))
    assert generated.read_bytes() == before
    filler.unlink()
    save(project, "third")
    eventually(lambda: '"image": "third"' in generated.read_text())
    eventually(lambda: not row(world, project).get("problem"))


def test_a_read_only_project_is_said_and_left_alone(world: World, small_disk: Path) -> None:
    project = small_disk / "app"
    project.mkdir()
    save(project, "x")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    world.run("daemon", "start", cwd=project)
    world.pid()
    eventually(lambda: "read-only" in str(row(world, project)["problem"]).lower())
    assert not (project / ".devcontainer").exists()


@pytest.mark.parametrize("when", [0, 4_000_000_000])
def test_a_save_counts_whatever_its_time(world: World, when: int) -> None:
    """After a clock was set back, or by a copy that keeps old times."""
    begin = time.monotonic()
    project = world.project()
    generated = keep_project(world, project)
    before = len(milliseconds(world))
    new = project / "new"
    new.write_text('profile = "dev"\nimage = "other"\n')
    os.utime(new, (when, when))
    new.rename(project / "sandboxd.toml")
    eventually(lambda: '"image": "other"' in generated.read_text())
    took = eventually(lambda: milliseconds(world)[before:])[0]
    # Counted from an event of this test, which may be one before the save; not since the year of the file.
    assert 0 <= took <= (time.monotonic() - begin) * 1000 + 1


def milliseconds(world: World) -> list[float]:
    """How long each generation of which the log tells took."""
    found = re.findall(r"kind=regenerated .*milliseconds=(\S+)\n", world.log())
    return [float(number) for number in found]


def test_projects_that_come_and_go_while_they_are_written(world: World) -> None:
    project = world.project()
    generated = keep_project(world, project)
    pid = world.pid()
    for number in range(15):
        save(project, f"i{number}")
        time.sleep(random.random() * 0.03)
        shutil.rmtree(project, ignore_errors=True)
        time.sleep(random.random() * 0.03)
        project.mkdir(exist_ok=True)
    save(project, "last")
    eventually(lambda: generated.exists() and '"image": "last"' in generated.read_text())
    assert world.pid() == pid
    assert "bug in sandboxd" not in world.log()


def test_a_checkout_of_many_files_ends_with_the_last_config(world: World) -> None:
    project = world.project()
    generated = keep_project(world, project)
    for number in range(300):
        save(project, f"i{number}")
        (project / f"file{number}").write_text("x")
    eventually(lambda: '"image": "i299"' in generated.read_text())


def test_a_thousand_clients_at_once(world: World) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 3000:
        pytest.skip("this machine allows too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (3000, hard))
    clients: list[socket.socket] = []
    try:
        world.start()
        hello = b'{"jsonrpc":"2.0","id":1,"method":"hello","params":{"version":"x","engine":{},"cwd":"/"}}\n'
        for _ in range(1000):
            client = socket.socket(socket.AF_UNIX)
            client.connect(str(world.socket))
            client.settimeout(PATIENCE)
            client.sendall(hello)
            clients.append(client)
        assert all(b'"protocol":2' in client.recv(4096) for client in clients)
        assert world.run("status").returncode == 0
    finally:
        for client in clients:
            client.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
