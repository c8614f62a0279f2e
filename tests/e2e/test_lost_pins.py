"""The host replaces what is pinned, by the tools of every day: each screen says so first, whoever watched before."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.errors import EXIT_NOT_HELD
from tests.e2e import sandboxes
from tests.integration.daemon.world import World

pytestmark = pytest.mark.engine

FILES = (".envrc", ".pre-commit-config.yaml", "lefthook.yml", ".vscode")
"""What is pinned and lost, one after the other: three files and a folder."""


@pytest.fixture
def project(tmp_path: Path, busybox_image: str, runtime: str) -> Path:
    """A real repository with control files at its top, and a branch that has others."""
    folder = tmp_path / "my shop ü"
    sandboxes.make_project(folder, busybox_image, runtime)
    shutil.rmtree(folder / ".git")
    host(folder, "git", "init", "-q", "-b", "main")
    for name in FILES[:3]:
        (folder / name).write_text("a: b\n")
    (folder / ".vscode/tasks.json").write_text("{}\n")
    commit(folder)
    host(folder, "git", "checkout", "-q", "-b", "other")
    (folder / "lefthook.yml").write_text("c: d\n")
    commit(folder)
    host(folder, "git", "checkout", "-q", "main")
    sandboxes.give_to_user(folder)
    return folder


def commit(folder: Path) -> None:
    host(folder, "git", "add", "-A")
    host(folder, "git", "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "x")


def host(folder: Path, *command: str) -> None:
    """A tool of the host, in the folder; its repository is another user's."""
    safe = ("-c", "safe.directory=*") if command[0] == "git" else ()
    subprocess.run([command[0], *safe, *command[1:]], cwd=folder, check=True, capture_output=True)


def edit_by_sed(folder: Path) -> None:
    host(folder, "sed", "-i", "s/a/b/", ".envrc")


def edit_by_vim(folder: Path) -> None:
    """As vim saves where it does not keep the file: a new one in its place."""
    name = ".pre-commit-config.yaml"
    host(
        folder,
        "vim",
        "-es",
        "-u",
        "NONE",
        "+set writebackup backupcopy=no backupskip=",
        "+s/b/c/",
        "+wq",
        name,
    )


def check_out(folder: Path) -> None:
    host(folder, "git", "checkout", "-q", "other")
    sandboxes.give_to_user(folder)


def move_folder(folder: Path) -> None:
    host(folder, "mv", ".vscode", ".vscode.old")
    (folder / ".vscode").mkdir()
    sandboxes.give_to_user(folder)


ACTS = (edit_by_sed, edit_by_vim, check_out, move_folder)

PLANTS = (
    "echo planted >> .envrc",
    "echo planted >> .pre-commit-config.yaml",
    "echo planted >> lefthook.yml",
    "echo planted > .vscode/tasks.json",
)


@pytest.fixture(params=["daemon", "alone"])
def up(world: World, project: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A sandbox that runs, kept by a daemon or by nobody."""
    sandboxes.grant(project)
    if request.param == "daemon":
        assert world.run("daemon", "start", cwd=project).returncode == 0
        world.pid()
    done = world.run("up", cwd=project)
    assert done.returncode == 0, done.stderr
    assert (world.pid() is not None) == (request.param == "daemon")
    yield project
    world.run("down", cwd=project)


def row(world: World, project: Path) -> Any:
    answer = json.loads(world.run("status", "--json", cwd=project).stdout)
    (only,) = [each for each in answer["projects"] if each["path"] == str(project.resolve())]
    return only


def test_every_screen_says_first_what_the_host_took_away(world: World, up: Path) -> None:
    before = row(world, up)
    assert (before["lost_pins"], before["unchecked_pins"], before["drift"]) == ([], [], [])
    assert world.run("drift", cwd=up).returncode == 0
    assert world.run("status", "--short", cwd=up).stdout != "✗ pin-lost\n"
    lost: set[str] = set()
    for act, name, plant in zip(ACTS, FILES, PLANTS, strict=True):
        shut = world.run("exec", "--", "sh", "-c", plant, cwd=up)
        assert shut.returncode != 0, f"{name} is open before the host did anything"
        act(up)
        lost.add(name)
        # The very next word, with nothing waited for.
        screen = world.run("status", cwd=up).stdout
        assert screen.startswith("✗ PIN LOST: "), (name, screen)
        assert name in screen or len(lost) > 3
        assert {pin["name"] for pin in row(world, up)["lost_pins"]} == lost
        drift = world.run("drift", cwd=up)
        assert drift.stdout.startswith("✗ PIN LOST: "), (name, drift.stdout)
        assert f"pin {name}: planned mounted at" in drift.stdout
        assert drift.returncode == EXIT_NOT_HELD
        assert world.run("status", "--short", cwd=up).stdout == "✗ pin-lost\n"
        # It is no false alarm.
        assert world.run("exec", "--", "sh", "-c", plant, cwd=up).returncode == 0, name
    verdict = world.run("verify", cwd=up)
    assert verdict.returncode == EXIT_NOT_HELD, verdict.stderr
    assert verdict.stderr.startswith("✗ PIN LOST: "), verdict.stderr
    assert "held against" not in world.run("status", cwd=up).stdout


def test_verify_tries_the_pins_of_the_sandbox_in_use(world: World, up: Path) -> None:
    held = json.loads(world.run("verify", "--json", cwd=up).stdout)
    outcomes = {each["id"]: each["outcome"] for each in held["attempts"]}
    assert (outcomes["lost-pin"], held["counts"]["escaped"]) == ("held", 0)
    edit_by_sed(up)
    result = world.run("verify", "--json", cwd=up)
    assert result.returncode == EXIT_NOT_HELD
    answer = json.loads(result.stdout)
    assert answer["attempts"][0]["id"] == "lost-pin"
    assert (answer["held"], answer["counts"]["escaped"]) == (False, 1)
    again = world.run("up", cwd=up)
    assert "recreated" in again.stderr
    assert world.run("verify", cwd=up).returncode == 0


@pytest.mark.gvisor
def test_a_folder_that_was_moved_away_and_back(world: World, project: Path, runtime: str) -> None:
    """The host's mounts are as before; gVisor's own kernel has let it go, if it looked in between."""
    sandboxes.grant(project)
    assert world.run("up", cwd=project).returncode == 0
    try:
        (project / ".vscode").rename(project / "elsewhere")
        world.run("exec", "--", "ls", ".vscode", cwd=project)
        (project / "elsewhere").rename(project / ".vscode")
        is_open = world.run("exec", "--", "touch", ".vscode/x", cwd=project).returncode == 0
        assert is_open == (runtime == "gvisor")
        assert [pin["name"] for pin in row(world, project)["lost_pins"]] == [".vscode"] * is_open
        verdict = world.run("verify", cwd=project)
        assert verdict.returncode == (EXIT_NOT_HELD if is_open else 0), verdict.stderr
    finally:
        world.run("down", cwd=project)
