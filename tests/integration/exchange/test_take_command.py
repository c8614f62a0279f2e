"""`sandboxd review --take` as a process: what it prints, its exit code and its hints; no engine answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.commands import Result, sandboxd
from tests.patience import PATIENCE
from tests.unit.exchange.two_sides import Sides, make


@pytest.fixture
def sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sides:
    """Both sides made commits: those of the sandbox wait."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    sides = Sides(make(tmp_path), tmp_path)
    sides.exchange()
    for side, name in ((sides.inside, "theirs"), (sides.host, "ours")):
        sides.write(name, f"{name}\n")
        side("add", name)
        side("commit", "-qm", name)
    assert sides.exchange().waiting
    return sides


def review(sides: Sides, *words: str) -> Result:
    return sandboxd("review", "--project", sides.folder, *words)


def at_a_terminal(sides: Sides, answer: str) -> Result:
    """`review --take main` of a person who types `answer` at its question."""
    person, terminal = os.openpty()
    try:
        # Held by the terminal until somebody reads the line.
        os.write(person, f"{answer}\n".encode())
        command = [sys.executable, "-m", "sandboxd", "review", "--project", sides.folder]
        environ = {**os.environ, "DOCKER_HOST": "unix:///nonexistent/docker.sock"}
        done = subprocess.run(
            [*command, "--take", "main"],
            stdin=terminal,
            capture_output=True,
            text=True,
            env=environ,
            timeout=2 * PATIENCE,
            check=False,
        )
    finally:
        os.close(terminal)
        os.close(person)
    return Result(done)


def test_the_command_that_status_names_takes_what_waits(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides.write("sandboxd.toml", "")
    sides.host("add", "sandboxd.toml")
    sides.host("commit", "-qm", "config")
    monkeypatch.chdir(sides.folder)
    shown = sandboxd("status")
    assert "sandboxd review --take main" in shown.out + shown.err
    done = review(sides, "--take", "main")
    assert (done.code, done.out) == (0, "main: merged, from refs/sandboxd/_/main\n")
    assert "no file was written" in done.err
    assert sides.host("status", "--porcelain") == ""
    again = review(sides, "--take")
    assert (again.code, again.out) == (0, "")
    assert "nothing waits to be taken" in again.err


def test_what_stays_is_said_with_the_next_step(sides: Sides) -> None:
    sides.write("theirs", "staged\n")
    sides.host("add", "theirs")
    done = review(sides, "--take")
    assert (done.code, done.out) == (4, "")
    assert "`refs/sandboxd/_/main` stays: what is staged on the host is in the way" in done.err
    assert "hint: commit or unstage it, then run the command again" in done.err


def test_options_that_mean_nothing_with_it_are_refused(sides: Sides) -> None:
    for words in (("--save",), ("--diff",), ("--apply",), ("--json",), ("--deletions",)):
        done = review(sides, "--take", *words)
        assert (done.code, "`--take` takes commits alone" in done.err) == (2, True), words
    tip = "0" * 40
    for words in (("--take", "--yes"), ("--take", "main", "--yes"), ("--take", "--expect", tip)):
        done = review(sides, *words)
        assert (done.code, "what nobody looked at" in done.err) == (2, True), words
    done = review(sides, "--take", "main", "--expect", tip[:12])
    assert (done.code, "is no whole id of a commit" in done.err) == (2, True)


def test_only_the_tip_that_is_expected_is_taken(sides: Sides) -> None:
    tip = sides.inside("rev-parse", "main").strip()
    before = sides.host("for-each-ref")
    done = review(sides, "--take", "main", "--expect", "0" * 40, "--yes")
    assert (done.code, done.out) == (4, "")
    said = " ".join(done.err.split())
    assert f"it was `{'0' * 40}` when it was looked at, and is `{tip}` now" in said
    assert f"`sandboxd review --take main --expect {tip}` takes just that" in said
    assert sides.host("for-each-ref") == before
    done = review(sides, "--take", "main", "--expect", tip)
    assert (done.code, done.out) == (0, "main: merged, from refs/sandboxd/_/main\n")


def test_a_person_is_asked_about_the_tip_on_the_screen(sides: Sides) -> None:
    oid = sides.host("rev-parse", "main").strip()
    sides.inside("update-index", "--add", "--cacheinfo", f"160000,{oid},sub")
    sides.inside("commit", "-qm", "a repository below")
    assert sides.exchange().waiting
    tip = sides.inside("rev-parse", "main").strip()
    question = f"take `refs/sandboxd/_/main` all the same, at {tip}? [y/N] "
    for answer, code in (("n", 4), ("y", 0)):
        done = at_a_terminal(sides, answer)
        assert (done.code, "nested repository" in done.err) == (code, True), done.err
        assert question in done.err
    assert "main: merged, from refs/sandboxd/_/main" in done.out


def test_a_sandbox_without_a_git_directory_has_nothing_that_waits(sides: Sides) -> None:
    done = review(sides, "--name", "login", "--take")
    assert done.code == 2
    assert "hint: `sandboxd review --name login` shows what it changed" in done.err
