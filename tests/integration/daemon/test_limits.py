"""A kernel that watches no more: the daemon goes on by looking, and says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.daemon.world import World
from tests.patience import eventually

# The limits of a user namespace count within it alone: the host's stay as they are.
LIMITED = 'echo "$2" > "/proc/sys/user/$1" && shift 2 && exec "$@"'


def limited(world: World, what: str, most: int) -> None:
    """Have the daemon run where the kernel gives no more than that."""
    shell = ["unshare", "--user", "--map-root-user", "sh", "-c", LIMITED, "sh"]
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("to limit a user namespace takes root")
    try:
        tried = subprocess.run([*shell, what, str(most), "true"], capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no `unshare` here")
    if tried.returncode != 0:
        pytest.skip("no user namespace can be made here")
    world.spawn([*shell, what, str(most), *world.command("daemon", "run", "--background")])
    eventually(lambda: world.socket.exists() and world.pid())


@pytest.mark.parametrize(
    ("what", "most", "named"),
    [
        ("max_inotify_watches", 4, "limit of inotify watches"),
        ("max_inotify_instances", 0, "limit of inotify instances"),
    ],
)
def test_without_events_saves_are_found_by_looking(
    world: World, what: str, most: int, named: str
) -> None:
    limited(world, what, most)
    projects = [world.project(f"p{number}") for number in range(3)]
    for project in projects:
        world.register(project)
    daemon = eventually(lambda: (d := world.status()["daemon"])["watching"] == "polling" and d)
    assert named in daemon["problem"]
    assert named in " ".join(world.run("status").stdout.split())
    for number, project in enumerate(projects):
        save(project, f"other{number}")
    for number, project in enumerate(projects):
        file = project / ".devcontainer" / "devcontainer.json"
        eventually(lambda f=file, n=number: f'"image": "other{n}"' in f.read_text())


def test_a_status_right_after_a_save_is_true_without_events_as_well(world: World) -> None:
    limited(world, "max_inotify_instances", 0)
    project = world.project()
    world.register(project)
    for profile in ("seed-baseline", "dev", "seed-baseline"):
        (project / "sandboxd.toml").write_text(f'profile = "{profile}"\nimage = "x"\n')
        shown = world.run("status", cwd=project).stdout
        assert f"profile {profile}" in shown or "checking" in shown


def save(project: Path, image: str) -> None:
    new = project / "new"
    new.write_text(f'profile = "dev"\nimage = "{image}"\n')
    new.rename(project / "sandboxd.toml")


def test_a_flood_that_overflows_the_kernels_queue_loses_no_generation(world: World) -> None:
    """A daemon that is stopped meanwhile takes no events: what comes after the limit is dropped."""
    most = Path("/proc/sys/fs/inotify/max_queued_events")
    if not most.exists() or int(most.read_text()) > 20_000:
        pytest.skip("the queue is too long to be filled here, or there is none")
    project = world.project()
    world.register(project)
    generated = project / ".devcontainer" / "devcontainer.json"
    eventually(generated.exists)
    eventually(lambda: world.status()["daemon"]["watching"] == "events")
    pid = world.pid()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        for number in range(int(most.read_text())):
            os.close(os.open(project / f"f{number}", os.O_CREAT | os.O_WRONLY))
        save(project, "flooded")
    finally:
        os.kill(pid, signal.SIGCONT)
    eventually(lambda: '"image": "flooded"' in generated.read_text())
