"""The host replaces what is pinned, by the tools of every day: each screen says so first, whoever watched before."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from shlex import quote
from typing import Any

import pytest

from sandboxd.engine.client import Engine, Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.errors import EXIT_NOT_HELD
from sandboxd.model.labels import PROJECT
from tests.e2e import sandboxes
from tests.integration.daemon.world import World
from tests.patience import eventually

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


def move_folder_away(folder: Path) -> None:
    host(folder, "mv", ".vscode", ".vscode.old")


ACTS = (edit_by_sed, edit_by_vim, check_out, move_folder)

PLANTS = (
    "echo planted >> .envrc",
    "echo planted >> .pre-commit-config.yaml",
    "echo planted >> lefthook.yml",
    "echo planted > .vscode/tasks.json",
)


@pytest.fixture
def up(world: World, project: Path) -> Iterator[Path]:
    """A sandbox that runs, and that nobody keeps."""
    sandboxes.grant(project)
    done = world.run("up", cwd=project)
    assert done.returncode == 0, done.stderr
    assert world.pid() is None
    yield project
    world.run("down", "--discard", cwd=project)


def row(world: World, project: Path) -> Any:
    answer = json.loads(world.run("status", "--json", cwd=project).stdout)
    (only,) = [each for each in answer["projects"] if each["path"] == str(project.resolve())]
    return only


def is_open(api: Engine, project: Path, plant: str) -> bool:
    """Whether what already runs inside can write there; `exec` would halt it first."""
    (container,) = api.containers(f"{PROJECT}={project.resolve()}")
    code, _ = run_quietly(
        api, container.id, Exec(["sh", "-c", f"cd {quote(inside(project))} && {plant}"])
    )
    return code == 0


def inside(project: Path) -> str:
    return f"/workspaces/{project.name}"


def test_a_second_name_that_was_made_inside_leads_to_another_file_after_a_start(
    world: World, project: Path
) -> None:
    for name, second in ((".envrc", "one"), (".vscode/tasks.json", "two")):
        (project / second).hardlink_to(project / name)
    sandboxes.grant(project)
    done = world.run("up", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "`.envrc` had a second name" in done.stderr
    done = world.run("exec", "--", "sh", "-c", "echo evil > one; echo evil > two", cwd=project)
    assert done.returncode == 0, done.stderr
    assert (project / "one").read_text() == "evil\n"
    assert (project / ".envrc").read_text() == "a: b\n"
    assert (project / ".vscode/tasks.json").read_text() == "{}\n"
    world.run("down", "--discard", cwd=project)


def test_every_screen_says_first_what_the_host_took_away(
    world: World, up: Path, api: Engine
) -> None:
    before = row(world, up)
    assert (before["lost_pins"], before["unchecked_pins"], before["drift"]) == ([], [], [])
    assert world.run("drift", cwd=up).returncode == 0
    assert world.run("status", "--short", cwd=up).stdout != "✗ pin-lost\n"
    lost: set[str] = set()
    for act, name, plant in zip(ACTS, FILES, PLANTS, strict=True):
        assert not is_open(api, up, plant), f"{name} is open before the host did anything"
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
        assert is_open(api, up, plant), f"{name}: a false alarm"
    assert world.run("status", "--short", cwd=up).stdout == "✗ pin-lost\n"
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
    assert world.run("up", "--recreate", cwd=up).returncode == 0
    assert world.run("verify", cwd=up).returncode == 0


@pytest.mark.parametrize("act", [edit_by_sed, move_folder_away])
def test_a_daemon_hides_nothing_by_what_it_knew(
    world: World, project: Path, act: Callable[[Path], None]
) -> None:
    """What it has in memory says that all is well; it halts the sandbox, too, and both are said first."""
    sandboxes.grant(project)
    world.start()
    assert world.run("up", cwd=project).returncode == 0
    try:
        # A daemon that is busy answers at first by what it knew.
        eventually(lambda: row(world, project)["lost"] == [], lambda: row(world, project))
        watching = f"mounts of `{project.resolve()}`"
        eventually(lambda: watching in world.log(), world.log)
        act(project)
        name = FILES[0] if act is edit_by_sed else FILES[3]
        first = world.run("status", cwd=project).stdout
        assert first.startswith(("✗ PIN LOST: ", "✗ HALTED: ")) and f"`{name}`" in first, first
        eventually(lambda: row(world, project)["halted"])
        screen = world.run("status", cwd=project).stdout
        assert screen.startswith(f"✗ HALTED: `{name}` was "), screen
        assert "hint: `sandboxd up --recreate`" in screen
        assert world.run("status", "--short", cwd=project).stdout == "✗ halted\n"
        drift = world.run("drift", cwd=project)
        assert drift.stdout.startswith(f"✗ PIN LOST: `{name}`"), drift
        assert drift.returncode == EXIT_NOT_HELD
        verdict = world.run("verify", cwd=project)
        assert verdict.stderr.startswith(f"✗ PIN LOST: `{name}`"), verdict.stderr
        assert verdict.returncode == EXIT_NOT_HELD
        assert world.run("up", "--recreate", cwd=project).returncode == 0
        eventually(lambda: row(world, project)["lost"] == [], lambda: row(world, project))
    finally:
        world.run("down", "--discard", cwd=project)


def test_a_folder_that_was_moved_away_and_back(
    world: World, up: Path, api: Engine, runtime: str
) -> None:
    """The host's mounts are as before; gVisor's own kernel has let it go, if it looked in between."""
    (up / ".vscode").rename(up / "elsewhere")
    is_open(api, up, "ls .vscode")
    (up / "elsewhere").rename(up / ".vscode")
    was_lost = is_open(api, up, "touch .vscode/x")
    assert was_lost == (runtime == "gvisor")
    assert [pin["name"] for pin in row(world, up)["lost_pins"]] == [".vscode"] * was_lost
    verdict = world.run("verify", cwd=up)
    assert verdict.returncode == (EXIT_NOT_HELD if was_lost else 0), verdict.stderr
