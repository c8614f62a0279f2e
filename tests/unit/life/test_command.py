"""Signals to a command: the engine answers before its process is there."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sandboxd import deadline
from sandboxd.engine import execute
from sandboxd.engine.client import Engine, Exec, Summary
from sandboxd.halt import record
from sandboxd.halt.record import Halt, Owner, Reason
from sandboxd.life import command as commands
from sandboxd.life import find, halts
from sandboxd.life.command import Command
from sandboxd.model.labels import MADE_BY, PROJECT, UP
from tests.patience import PATIENCE, eventually


class Begun:
    """An engine whose command has an exit code after so many questions for it."""

    def __init__(self, ends_after: int) -> None:
        self.ends_after = ends_after
        self.questions = 0

    def exec_exit_code(self, exec_id: str) -> int | None:
        assert exec_id == "e"
        self.questions += 1
        return 0 if self.questions > self.ends_after else None


def command(engine: Begun) -> Command:
    ours = socket.socket()
    ours.close()
    return Command(cast("Engine", engine), "c", "e", "MARK=1", "dev", ours, b"")


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What the next looks into the sandbox answer; after the last, that no such process is there."""
    answers: list[bool] = []

    def look(_engine: Any, *words: object) -> bool:
        assert words == ("c", "dev", "MARK=1", 15)
        return answers.pop(0) if answers else False

    monkeypatch.setattr(execute, "kill_marked", look)
    monkeypatch.setattr(commands, "_LOOK_SECONDS", 0.001)
    monkeypatch.setattr(commands, "_BEGIN_SECONDS", PATIENCE)
    return answers


def test_a_process_that_is_not_there_yet_is_signalled_once_it_is(answers: list[bool]) -> None:
    engine = Begun(ends_after=99)
    answers += [False, False, True, True]
    command(engine).kill(15)
    assert answers == [True], "once it has taken the signal it gets no other"


def test_a_process_that_came_while_the_machine_stood_still_is_signalled(
    answers: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]

    def look(*_: object) -> bool:
        now[0] += 10 * PATIENCE
        return answers.pop(0)

    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(execute, "kill_marked", look)
    answers += [False, True]
    command(Begun(ends_after=99)).kill(15)
    assert answers == []


def test_a_command_that_has_ended_is_not_looked_for_again(answers: list[bool]) -> None:
    engine = Begun(ends_after=2)
    command(engine).kill(15)
    assert engine.questions == 3


def test_a_process_that_hides_is_left_alone_at_last(
    answers: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "_BEGIN_SECONDS", 0.01)
    engine = Begun(ends_after=1_000_000)
    command(engine).kill(15)
    assert engine.questions >= 1


@pytest.mark.parametrize("is_watched", [True, False])
def test_the_containers_are_listed_once(
    is_watched: bool, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = {PROJECT: str(tmp_path), MADE_BY: UP}
    listed = [
        Summary("c1", "ours", "image", "running", labels, 1),
        Summary("c2", "dreamy_turing", "image", "paused", {PROJECT: str(tmp_path)}, 2),
    ]
    asked: list[str] = []

    def containers(*words: str) -> list[Summary]:
        asked.append(" ".join(words))
        return listed

    halt = Halt(str(tmp_path), "c2", Owner.DAEMON, Reason.REPLACED, 1.0, ())
    record.save(os.environ, halt)
    monkeypatch.setattr(find, "is_believed", lambda *_: True)
    monkeypatch.setattr(halts, "refuse", lambda *_: None)
    engine = SimpleNamespace(
        containers=containers, exec_create=lambda *_: "e", exec_start=lambda *_: (None, b"")
    )
    told: list[str] = []
    warn = None if is_watched else told.append
    done = commands.begin(
        cast("Engine", engine),
        os.environ,
        str(tmp_path),
        str(tmp_path),
        Exec(["true"]),
        warn=warn,
    )
    assert done.container == "c1"
    assert asked == [f"{PROJECT}={tmp_path}"]
    assert [text.partition(",")[0] for text in told] == ([] if is_watched else ["`dreamy_turing`"])


@pytest.mark.parametrize(("code", "seen"), [(0, True), (3, False), (127, True)])
def test_only_a_sandbox_that_says_so_has_no_such_process(
    code: int, seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[Exec] = []

    def run(_engine: Any, container: str, request: Exec, _seconds: float) -> tuple[int, bytes]:
        assert container == "c"
        requests.append(request)
        return code, b""

    monkeypatch.setattr(execute, "run_quietly", run)
    engine = cast("Engine", Begun(0))
    assert execute.kill_marked(engine, "c", "dev", "MARK=1", 15) is seen
    assert requests[0].user == "dev"


def test_the_script_signals_marked_processes_and_says_whether_there_were_any(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(_engine: Any, _container: str, request: Exec, _seconds: float) -> tuple[int, bytes]:
        done = subprocess.run(request.command, capture_output=True, check=False)
        return done.returncode, done.stdout

    monkeypatch.setattr(execute, "run_quietly", run)
    engine, mark = cast("Engine", Begun(0)), f"SANDBOXD_EXEC={secrets.token_hex(8)}"
    assert execute.kill_marked(engine, "c", "", mark, signal.SIGTERM) is False
    name, _, value = mark.partition("=")
    with subprocess.Popen(["sleep", "600"], env={**os.environ, name: value}) as process:
        eventually(lambda: mark.encode() in Path(f"/proc/{process.pid}/environ").read_bytes())
        assert execute.kill_marked(engine, "c", "", mark, signal.SIGTERM) is True
        assert process.wait(PATIENCE) == -signal.SIGTERM
