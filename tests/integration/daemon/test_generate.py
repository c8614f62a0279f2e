"""A save, and what becomes of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from sandboxd.ipc import client, messages
from tests.integration.daemon.world import World, alive
from tests.patience import PATIENCE, eventually

DEV = 'profile = "dev"\nimage = "x"\n'
OTHER = 'profile = "dev"\nimage = "other"\n'
GENERATED = ".devcontainer/devcontainer.json"


class Listener:
    """`status --watch --json` as data."""

    def __init__(self, world: World) -> None:
        self.process = world.popen("status", "--watch", "--json")
        # An event that never comes ends the test, not the patience of whoever runs it.
        self._limit = threading.Timer(PATIENCE, self.process.kill)
        self._limit.start()
        self.snapshot = self.next()
        assert self.snapshot["type"] == messages.SNAPSHOT
        assert self.next()["type"] == messages.LIVE

    def next(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.stderr
        return json.loads(line)

    def event(self, *kinds: str) -> Any:
        while True:
            event = self.next()
            if event["kind"] in kinds:
                return event

    def end(self) -> None:
        self._limit.cancel()
        self.process.kill()
        self.process.communicate()


def keep_project(world: World, text: str = DEV) -> tuple[Path, Path]:
    """A registered project and its generated file."""
    project = world.project(text=text)
    result = world.run("daemon", "start", cwd=project)
    assert result.returncode == 0, result.stderr
    world.pid()
    return project, project / GENERATED


def save(project: Path, text: str) -> None:
    """As editors do: a new file renamed over the old one."""
    new = project / ".sandboxd.toml.swp"
    new.write_text(text)
    os.rename(new, project / "sandboxd.toml")


def regenerate_another(world: World) -> None:
    """Save a second project and wait for its file: what was saved before has been looked at, too."""
    project = world.project("another", DEV)
    world.register(project)
    save(project, OTHER)
    eventually(lambda: '"image": "other"' in (project / GENERATED).read_text())


def test_registering_generates_and_a_save_regenerates(world: World) -> None:
    project, file = keep_project(world)
    assert '"image": "x"' in file.read_text()
    listener = Listener(world)
    assert [row["path"] for row in listener.snapshot["projects"]] == [str(project)]
    save(project, OTHER)
    event = listener.event("regenerated")
    assert event["path"] == str(project)
    assert event["files"] == [GENERATED]
    assert event["milliseconds"] > 0
    assert '"image": "other"' in file.read_text()
    listener.end()


def test_a_save_that_changes_nothing_writes_nothing(world: World) -> None:
    project, file = keep_project(world)
    before = file.stat()
    listener = Listener(world)
    save(project, DEV + "# a comment\n")
    assert listener.event("unchanged", "regenerated")["kind"] == "unchanged"
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    listener.end()


def test_an_invalid_config_keeps_the_last_good_file_and_is_said(world: World) -> None:
    project, file = keep_project(world)
    good = file.read_text()
    listener = Listener(world)
    save(project, 'profile = "dev"\nimage = 7\n')
    event = listener.event("invalid")
    assert "sandboxd.toml:2:9" in event["message"]
    assert file.read_text() == good
    (row,) = world.settled()["projects"]
    assert row["state"] == "invalid config"
    assert "sandboxd.toml:2:9" in row["problem"]
    assert "sandboxd check" in row["hint"]
    screen = world.screen()
    assert "INVALID CONFIG" in screen and "hint:" in screen
    assert "problem       sandboxd.toml:2:9:" in screen
    assert world.screen("--short", cwd=project) == "✗ invalid-config\n"
    save(project, OTHER)
    listener.event("regenerated")
    assert world.settled()["projects"][0]["problem"] is None
    listener.end()


def test_readers_never_see_half_a_file(world: World) -> None:
    project, file = keep_project(world)
    ends = []
    deadline = time.monotonic() + 2
    number = 0
    while time.monotonic() < deadline:
        number += 1
        (project / "sandboxd.toml").write_text(f'image = "{"x" * (number % 900 + 1)}"\n')
        for _ in range(20):
            ends.append(file.read_text().rstrip()[-1:])
    assert set(ends) == {"}"}
    eventually(lambda: f'"image": "{"x" * (number % 900 + 1)}"' in file.read_text())


def test_the_users_edit_of_a_generated_file_is_kept_beside(world: World) -> None:
    project, file = keep_project(world)
    listener = Listener(world)
    mine = file.read_text() + "// mine\n"
    # At once: a file that is empty for a moment is one that somebody writes by hand.
    new = world.home / "mine"
    new.write_text(mine)
    new.rename(file)
    event = listener.event("regenerated")
    assert "devcontainer.json.yours" in event["message"]
    assert (project / f"{GENERATED}.yours").read_text() == mine
    listener.end()


def test_a_deleted_generated_file_comes_back(world: World) -> None:
    project, file = keep_project(world)
    (project / ".devcontainer").rename(world.home / "away")
    eventually(file.exists)


def test_a_project_that_vanishes_and_returns(world: World) -> None:
    project, file = keep_project(world)
    listener = Listener(world)
    away = world.home / "away"
    project.rename(away)
    # Before it a look may be told of that had begun when the folder was still there.
    listener.event("gone")
    assert world.settled()["projects"][0]["state"] == "missing"
    away.rename(project)
    listener.event("back")
    save(project, OTHER)
    eventually(lambda: '"image": "other"' in file.read_text())
    listener.end()


def test_a_hand_written_file_that_appears_is_seen_and_never_overwritten(world: World) -> None:
    project, _file = keep_project(world)
    (project / ".devcontainer").rename(world.home / "away")
    written = '{\n  // by hand\n  "image": "mine"\n}\n'
    new, place = world.home / "new", project / ".devcontainer.json"
    new.write_text(written)

    def is_put() -> bool:
        """In place of the empty folder that keeps a sandbox from planting one, which the daemon may make again."""
        with contextlib.suppress(FileNotFoundError):
            place.rmdir()
        with contextlib.suppress(IsADirectoryError):
            new.rename(place)
        return place.is_file()

    eventually(is_put)
    eventually((project / ".devcontainer/sandboxd/devcontainer.json").exists)
    assert place.read_text() == written


def test_projects_are_remembered_after_kill_9(world: World) -> None:
    project, file = keep_project(world)
    pid = world.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not alive(pid))
    save(project, OTHER)  # while nobody looks
    world.start()
    eventually(lambda: '"image": "other"' in file.read_text())
    assert [row["path"] for row in world.status()["projects"]] == [str(project)]


def test_a_project_can_be_forgotten(world: World) -> None:
    project, file = keep_project(world)
    # What has begun goes on.
    world.settled()
    with world.client() as connection:
        assert connection.request(messages.PROJECT_FORGET, {"path": str(project)}) == {
            "known": True
        }
        assert connection.request(messages.PROJECT_FORGET, {"path": str(project)}) == {
            "known": False
        }
    before = file.read_text()
    save(project, OTHER)
    regenerate_another(world)
    assert file.read_text() == before
    assert [row["path"] for row in world.status()["projects"]] == [str(world.home / "another")]


def test_registering_is_best_effort_for_other_commands(world: World) -> None:
    project = world.project()
    assert client.register(world.environ, str(project), start=False) == "no daemon is running"
    world.start()
    # Other commands do not wait for long: on a busy machine the first look takes longer.
    eventually(lambda: client.register(world.environ, str(project), start=False) is None)
    assert (project / GENERATED).exists()
    os.chmod(world.folder, 0o755)
    reason = client.register(world.environ, str(project), start=True)
    os.chmod(world.folder, 0o700)
    assert reason is not None and "open to other users" in reason


def test_many_projects_each_get_their_own_save(world: World) -> None:
    projects = [world.project(f"p{number}") for number in range(20)]
    for project in projects:
        world.register(project)
    world.pid()
    for number, project in enumerate(projects):
        save(project, f'image = "i{number}"\n')
    for number, project in enumerate(projects):
        file = project / GENERATED
        eventually(lambda f=file, n=number: f'"image": "i{n}"' in f.read_text())


def test_a_daemon_that_ends_ends_the_watch_with_a_hint(world: World) -> None:
    keep_project(world)
    listener = Listener(world)
    assert world.run("daemon", "stop").returncode == 0
    _, output = listener.process.communicate(timeout=PATIENCE)
    assert listener.process.returncode == 5
    assert "hint:" in output
    listener.end()


def test_without_a_sandboxd_toml_nothing_is_written(world: World) -> None:
    project, file = keep_project(world)
    (project / "sandboxd.toml").unlink()
    # A generation that had begun before may still end.
    eventually(lambda: "sandboxd init" in (world.settled()["projects"][0]["hint"] or ""))
    file.unlink()
    regenerate_another(world)
    assert not file.exists()
    bare = world.home / "bare"
    bare.mkdir()
    world.register(bare)
    assert list(bare.iterdir()) == []


def test_asking_in_a_project_that_is_not_kept_writes_nothing(world: World) -> None:
    project = world.project()
    world.start()
    # Of a host that is not known yet the daemon says less.
    eventually(lambda: world.status()["host"])
    screen = world.screen(cwd=project)
    assert f"? {project.name}  UNKNOWN" in screen
    assert "does not keep it generated" in screen
    assert [entry.name for entry in project.iterdir()] == ["sandboxd.toml"]


def test_init_and_generate_hand_the_project_to_a_running_daemon(world: World) -> None:
    world.start()
    for name, commands in (("a", [("init",)]), ("b", [("init",), ("generate",)])):
        folder = world.home / name
        folder.mkdir()
        for command in commands:
            result = world.run(*command, cwd=folder)
            assert result.returncode == 0, result.stderr
        # Other commands do not wait for the first look for long.
        eventually((folder / GENERATED).exists)
    wanted = {str(world.home / "a"), str(world.home / "b")}
    eventually(lambda: {row["path"] for row in world.status()["projects"]} == wanted)


def test_init_without_a_daemon_starts_none(world: World) -> None:
    folder = world.home / "a"
    folder.mkdir()
    assert world.run("init", cwd=folder).returncode == 0
    assert world.pid() is None
    assert not (folder / GENERATED).exists()


def test_a_link_where_a_file_belongs_is_said_and_not_followed(world: World) -> None:
    _project, file = keep_project(world)
    listener = Listener(world)
    target = world.home / "precious"
    target.write_text("mine")
    link = world.home / "link"
    link.symlink_to(target)
    link.rename(file)
    # What is told of the look before comes first.
    event = listener.event("failed", "invalid")
    assert "symbolic link" in event["message"]
    assert target.read_text() == "mine" and file.is_symlink()
    assert "symbolic link" in world.settled()["projects"][0]["problem"]
    listener.end()


def test_a_start_with_a_mistake_in_the_config_names_it(world: World) -> None:
    project = world.project(text=DEV + "[netw")
    result = world.run("daemon", "start", cwd=project)
    assert result.returncode == 0
    world.pid()
    assert "nothing can be generated yet: " in result.stderr
    assert "this header is not closed" in result.stderr
    assert "hint: correct it" in result.stderr
    assert not (project / GENERATED).exists()
