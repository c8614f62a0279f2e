"""`sandboxd review --take` as a process: what it prints, its exit code and its hints; no engine answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.commands import Result, sandboxd
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
    done = review(sides, "--take", "--yes")
    assert (done.code, "name the branch" in done.err) == (2, True)


def test_a_sandbox_without_a_git_directory_has_nothing_that_waits(sides: Sides) -> None:
    done = review(sides, "--name", "login", "--take")
    assert done.code == 2
    assert "hint: `sandboxd review --name login` shows what it changed" in done.err
