"""What `status` and `list` say, at once and live."""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.errors import EXIT_DAEMON, EXIT_ENVIRONMENT, EXIT_OK, EXIT_USAGE
from sandboxd.ipc import messages
from tests.integration.daemon.world import World
from tests.patience import PATIENCE, eventually

TRUSTED = 'profile = "trusted"\nimage = "x"\n'
JSON = {"format": "json", "colour": False, "columns": 80}


def keep_project(
    world: World, name: str = "app", text: str = 'profile = "dev"\nimage = "x"\n'
) -> Path:
    project = world.project(name, text)
    started = world.run("daemon", "start", cwd=project)
    assert started.returncode == EXIT_OK, started.stderr
    world.pid()
    return project


def save(project: Path, text: str) -> None:
    new = project / ".new"
    new.write_text(text)
    new.rename(project / "sandboxd.toml")


def row(world: World, project: Path) -> Any:
    (only,) = [r for r in world.settled()["projects"] if r["path"] == str(project)]
    return only


PATIENT_DAEMON = f"""
from sandboxd.daemon import status_methods
status_methods._CHECKING_SECONDS = {PATIENCE}
from sandboxd.cli.main import run
run(["daemon", "run", "--background"])
"""


@pytest.mark.parametrize("patient", [True, False], ids=["it is waited for", "or said"])
def test_a_status_right_after_a_save_never_shows_what_was_before(
    world: World, patient: bool
) -> None:
    if patient:
        world.spawn([sys.executable, "-P", "-c", PATIENT_DAEMON])
        eventually(world.pid)
    project = keep_project(world)
    profiles = ["seed-baseline", "dev"] * 10
    shown = []
    with world.client() as connection:
        for profile in profiles:
            save(project, f'profile = "{profile}"\nimage = "x"\n')
            answer = connection.request(messages.STATUS_RENDER, JSON)
            (only,) = json.loads(answer["text"])["projects"]
            shown.append(only["profile"])
            assert only["checking"] is (only["profile"] is None)
            assert only["profile"] in (profile, None)
    # However long it takes; the daemon's own patience is a tenth of a second.
    assert shown == profiles or not patient


def test_a_pipe_in_place_of_the_config_is_said_and_not_waited_for(world: World) -> None:
    project = keep_project(world)
    fifo = project / "new"
    os.mkfifo(fifo)
    fifo.rename(project / "sandboxd.toml")
    eventually(lambda: row(world, project)["state"] == "invalid config")
    assert "named pipe" in " ".join(world.screen(cwd=project).split())


def test_trust_is_shown_and_a_grant_counts_at_once(world: World) -> None:
    project = keep_project(world, text=TRUSTED)
    assert row(world, project)["trust"] == "none"
    screen = world.screen(cwd=project)
    assert row(world, project)["state"] == "unknown", "the config is right, and nothing was asked"
    assert world.screen("--short", cwd=project) == "! needs-grant\n"
    assert "needs a grant" in screen and "hint: `sandboxd trust add`" in screen
    world.environ["XDG_CONFIG_HOME"] = str(world.home / ".config")
    assert world.run("trust", "add", "--yes", cwd=project).returncode == EXIT_OK
    eventually(lambda: row(world, project)["trust"] == "in force")
    assert "granted" in world.screen(cwd=project)
    assert (project / ".devcontainer" / "devcontainer.json").exists()
    save(project, TRUSTED + "# changed\n")
    eventually(lambda: row(world, project)["trust"] == "outdated")
    assert "void" in world.screen(cwd=project)
    save(project, 'profile = "dev"\nimage = "x"\n')
    eventually(lambda: row(world, project)["trust"] == "not needed")
    assert "trust" not in world.screen(cwd=project)


def test_denials_are_never_invented(world: World) -> None:
    project = keep_project(world)
    assert row(world, project)["denials"] is None


def test_of_many_projects_those_that_matter_are_shown(world: World) -> None:
    with world.client() as connection:
        for number in range(30):
            text = "profile = 3\n" if number == 7 else 'image = "x"\n'
            path = world.project(f"p{number:02}", text)
            connection.request(messages.PROJECT_REGISTER, {"path": str(path), "wait": False})
    world.settled()
    screen = world.screen(cwd=world.home / "p03")
    assert screen.startswith("? p03  UNKNOWN") and "/p07  invalid config" in screen
    assert "28 more projects: 28 unknown; `sandboxd list` names them" in screen
    every = world.screen("--all", cwd=world.home / "p03")
    assert [line for line in every.splitlines() if "/p29  unknown" in line] != []
    assert "more projects" not in every
    assert "p04" not in screen
    assert len(world.status()["projects"]) == 30


def test_list_names_the_projects_that_the_daemon_remembers(world: World) -> None:
    """Without an engine nothing is known of sandboxes, and that is said, too."""
    project = keep_project(world)
    gone = keep_project(world, "gone")
    gone.rename(world.home / "away")
    eventually(lambda: row(world, gone)["state"] == "missing")
    listed = world.run("list")
    assert listed.returncode == EXIT_ENVIRONMENT
    assert "no container engine" in listed.stderr
    lines = {line.split()[-1]: line.split()[1] for line in listed.stdout.splitlines()[1:]}
    assert lines == {str(project): "unknown", str(gone): "missing"}
    document = json.loads(world.run("list", "--json").stdout)
    assert document["sandboxes"] == []
    assert document["projects"] == [
        {"path": str(project), "keeps": True, "exists": True},
        {"path": str(gone), "keeps": True, "exists": False},
    ]


def test_list_without_a_daemon_starts_none(world: World) -> None:
    listed = world.run("list")
    assert listed.returncode == EXIT_ENVIRONMENT
    assert "no container engine" in listed.stderr
    assert world.pid() is None


def test_a_project_that_was_only_checked_is_remembered_and_left_alone(world: World) -> None:
    world.start()
    project = world.project()

    def rows_after(command: str) -> Any:
        """A command tells the daemon of its project, and does not wait for long where that is busy."""
        assert world.run(command, cwd=project).returncode == EXIT_OK
        return world.settled()["projects"]

    rows = eventually(lambda: rows_after("check"))
    assert [(r["path"], r["kept"]) for r in rows] == [(str(project), False)]
    save(project, 'profile = "seed-baseline"\nimage = "x"\n')
    eventually(lambda: row(world, project)["profile"] == "seed-baseline")
    assert [entry.name for entry in project.iterdir()] == ["sandboxd.toml"]
    assert world.run("generate", cwd=project).returncode == EXIT_USAGE
    assert world.run("trust", "add", "--yes", cwd=project).returncode == EXIT_OK
    eventually(lambda: rows_after("generate")[0]["kept"])
    world.run("check", cwd=project)
    assert row(world, project)["kept"] is True


class Screen:
    """`status --watch` on a terminal of its own, of which the last drawing is kept."""

    def __init__(self, world: World, cwd: Path, **more: str) -> None:
        self._terminal, inner = pty.openpty()
        self.resize(24, 80)
        self.process = subprocess.Popen(
            world.command("status", "--watch"),
            env={**world.environ, "TERM": "xterm", **more},
            cwd=cwd,
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
        )
        os.close(inner)
        # A read may end within a character.
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.output = ""

    def resize(self, rows: int, columns: int) -> None:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, size)

    def until(self, words: str) -> str:
        """Everything since the last call, up to `words`."""
        deadline = time.monotonic() + PATIENCE
        while words not in self.output:
            assert time.monotonic() < deadline, self.output
            if select.select([self._terminal], [], [], 0.1)[0]:
                with contextlib.suppress(OSError):
                    self.output += self._decoder.decode(os.read(self._terminal, 65536))
        text, _, self.output = self.output.partition(words)
        return text + words

    def lines(self) -> list[str]:
        """The next whole drawing, without its colours."""
        self.until("\x1b[H")
        drawing = self.until("\x1b[J")
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", drawing).split("\n")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._terminal)


@pytest.fixture
def screen(world: World) -> Iterator[Screen]:
    watch = Screen(world, keep_project(world))
    try:
        yield watch
    finally:
        watch.end()


def test_watch_draws_one_screen_again_in_place(world: World, screen: Screen) -> None:
    # The first drawing may say that the project is being looked at.
    first = screen.until("profile dev") + screen.until("live; Ctrl-C ends")
    assert first.startswith("\x1b[?1049h")
    save(world.home / "app", 'profile = "seed-baseline"\nimage = "x"\n')
    assert world.run("trust", "add", "--yes", cwd=world.home / "app").returncode == EXIT_OK
    again = screen.until("profile seed-baseline")
    assert "\x1b[H" in again and "1049" not in again
    screen.resize(24, 50)
    os.kill(screen.process.pid, signal.SIGWINCH)
    # Drawings of the old width may be on their way. No word is broken; the terminal cuts a longer one.
    while not all(len(line) <= 50 or " " not in line.strip() for line in screen.lines()):
        continue
    screen.resize(6, 80)
    os.kill(screen.process.pid, signal.SIGWINCH)
    screen.until("more lines")
    screen.process.send_signal(signal.SIGINT)
    assert screen.until("\x1b[?1049l").endswith("\x1b[?7h\x1b[?25h\x1b[?1049l")
    assert screen.process.wait(PATIENCE) == EXIT_OK


def test_watch_gives_the_terminal_back_however_it_ends(world: World, screen: Screen) -> None:
    screen.until("live")
    assert world.run("daemon", "stop").returncode == EXIT_OK
    screen.until("\x1b[?1049l")
    screen.until("sandboxd daemon start")
    assert screen.process.wait(PATIENCE) == EXIT_DAEMON


def test_watch_on_a_dumb_terminal_goes_on_line_by_line(world: World) -> None:
    project = keep_project(world)
    watch = Screen(world, project, TERM="dumb")
    try:
        text = watch.until("-- live")
        save(project, 'image = "x"\n[network]\nmode = "none"\n')
        text += watch.until("regenerated")
        assert "\x1b" not in text
    finally:
        watch.end()


def test_watch_without_colour_still_draws_in_place(world: World) -> None:
    project = keep_project(world)
    watch = Screen(world, project, NO_COLOR="1")
    try:
        text = watch.until("live; Ctrl-C ends")
        assert "\x1b[H" in text and "m" not in [part[-1:] for part in text.split("\x1b[")]
        assert "\x1b[1m" not in text and "\x1b[2m" not in text
    finally:
        watch.end()


def test_watch_without_a_daemon_says_so(world: World) -> None:
    result = world.run("status", "--watch")
    assert result.returncode == EXIT_DAEMON
    assert "nothing can be watched" in result.stderr
    assert "hint: `sandboxd daemon start`" in result.stderr
    assert world.pid() is None
