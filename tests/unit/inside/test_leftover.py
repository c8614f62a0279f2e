"""What ends the processes of a run that nobody attends: all that came from it, and nothing else."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine.payload import programs
from sandboxd.inside import leftover
from tests.integration.daemon.world import alive
from tests.patience import PATIENCE, eventually


def run_inside(mark: str, seconds: float) -> dict[str, Any]:
    task = {"nonce": "n", "mark": mark, "seconds": seconds}
    program = programs.with_task(
        programs.source_of("leftover").replace("KILL_SECONDS = 2.0", f"KILL_SECONDS = {PATIENCE}"),
        task,
    )
    done = subprocess.run(
        [sys.executable, "-I", "-"],
        input=program.decode(),
        capture_output=True,
        text=True,
        check=True,
    )
    nonce, _, answer = done.stdout.partition(" ")
    assert nonce == "n"
    return dict(json.loads(answer))


@pytest.fixture
def mark() -> str:
    return f"LEFTOVER={secrets.token_hex(8)}"


def begin(mark: str, script: str) -> subprocess.Popen[str]:
    """A shell of its own session, which has told that it is ready."""
    name, _, value = mark.partition("=")
    process = subprocess.Popen(
        ["sh", "-c", script],
        env={**os.environ, name: value},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None and process.stdout.readline()
    return process


def test_nothing_of_the_run_is_no_failure(mark: str) -> None:
    assert run_inside(mark, 1) == {"count": 0, "left": 0}


def test_one_that_ends_when_asked_may_finish_and_others_are_not_touched(
    mark: str, tmp_path: Path
) -> None:
    saved = tmp_path / "saved"
    script = f"trap 'echo x > {saved}; exit 0' TERM; echo; while :; do sleep 0.05; done"
    with begin(mark, script) as process, begin(f"{mark}0", "echo; exec sleep 1000") as other:
        try:
            answer = run_inside(mark, PATIENCE)
            assert answer["left"] == 0 and answer["count"] >= 1
            assert process.wait(PATIENCE) == 0 and saved.exists()
            assert other.poll() is None
        finally:
            other.kill()


def test_one_that_refuses_is_killed_with_what_came_from_it_without_a_mark(mark: str) -> None:
    script = "trap '' TERM; env -i sh -c \"trap '' TERM; echo \\$\\$; sleep 1000 & wait\" & wait"
    with begin(mark, "echo; " + script) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        answer = run_inside(mark, 0.2)
        assert answer["left"] == 0 and answer["count"] >= 2
        # What it waits for may be killed first: then it ends by itself.
        assert process.wait(PATIENCE) in (0, -signal.SIGKILL)
        eventually(lambda: not alive(child))


def test_a_number_that_was_given_again_is_another_process(mark: str) -> None:
    known = {(os.getppid(), 1)}
    assert leftover.of_run(mark.encode(), known) == set()
