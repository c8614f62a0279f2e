"""A command of a forked process does what one that was started does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import forked
from tests.integration.daemon.world import alive
from tests.patience import PATIENCE, eventually

WEAK = '{"image": "debian", "privileged": true}\n'


@pytest.mark.parametrize(
    ("arguments", "stdin", "more"),
    [
        (["--version"], None, {}),
        (["no-such-command"], None, {}),
        (["check", "--pedantic"], None, {}),
        (["check", "--stdin-filename", "devcontainer.json"], WEAK * 20_000, {}),
        (["check", "--format", "json", "devcontainer.json"], None, {}),
        (["status", "--json"], None, {}),
        (["doctor"], None, {"COLUMNS": "60"}),
        (["up"], None, {"HOME": "/nonexistent"}),
        (["check"], None, {"PYTHONIOENCODING": "ascii:replace"}),
    ],
)
def test_it_answers_as_a_started_one_does(
    tmp_path: Path, arguments: list[str], stdin: str | None, more: dict[str, str]
) -> None:
    (tmp_path / "devcontainer.json").write_text(WEAK)
    environ = {**os.environ, "DOCKER_HOST": "unix:///nonexistent/docker.sock", **more}
    started = subprocess.run(
        [sys.executable, "-P", "-m", "sandboxd", *arguments],
        cwd=tmp_path,
        env=environ,
        input=stdin or "",
        capture_output=True,
        text=True,
        check=False,
    )
    done = forked.run_forked(arguments, cwd=tmp_path, env=environ, timeout=PATIENCE, input=stdin)
    assert (done.returncode, done.stdout, done.stderr) == (
        started.returncode,
        started.stdout,
        started.stderr,
    )
    assert done.stdout or done.stderr


def waiting(project: Path) -> tuple[list[str], dict[str, str]]:
    """A command that waits for its stdin."""
    return ["check", "--stdin-filename", str(project / "devcontainer.json")], dict(os.environ)


def test_one_that_takes_too_long_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_end, write_end = os.pipe()
    monkeypatch.setattr(forked, "_feed", lambda _text: os.dup(read_end))
    arguments, environ = waiting(tmp_path)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            forked.run_forked(arguments, cwd=tmp_path, env=environ, timeout=3.0)
    finally:
        os.close(read_end)
    # Nobody holds the other end any more: writing fails once the process is gone.
    eventually(lambda: is_broken(write_end))
    os.close(write_end)


def is_broken(descriptor: int) -> bool:
    try:
        os.write(descriptor, b"x")
    except BrokenPipeError:
        return True
    return False


def test_the_signal_that_ended_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_end, write_end = os.pipe()
    monkeypatch.setattr(forked, "_feed", lambda _text: os.dup(read_end))
    arguments, environ = waiting(tmp_path)
    command = forked.Forked(arguments, tmp_path, environ, "")
    command.kill(signal.SIGKILL)
    done = command.wait(PATIENCE)
    os.close(read_end)
    os.close(write_end)
    assert done.returncode == -signal.SIGKILL


def test_two_at_once_do_not_wait_for_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_end, write_end = os.pipe()
    feed = forked._feed
    monkeypatch.setattr(
        forked, "_feed", lambda text: os.dup(read_end) if text == "wait" else feed(text)
    )
    arguments, environ = waiting(tmp_path)
    first = forked.Forked(arguments, tmp_path, environ, "wait")
    done = forked.run_forked(["--version"], cwd=tmp_path, env=environ, timeout=PATIENCE)
    assert (done.returncode, alive(first.pid)) == (0, True)
    os.close(read_end)
    os.write(write_end, WEAK.encode())
    os.close(write_end)
    assert first.wait(PATIENCE).returncode == 1
