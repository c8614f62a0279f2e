"""Changes, figures and output of a real sandbox, got by a daemon."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.review import collect
from tests.e2e import sandboxes
from tests.e2e.test_bench import left_over, workspace  # noqa: F401
from tests.e2e.test_life_with_daemon import daemon  # noqa: F401
from tests.e2e.test_review import repository  # noqa: F401
from tests.patience import PATIENCE, eventually

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache", "daemon")]


def log() -> str:
    return Path(os.environ["XDG_STATE_HOME"], "sandboxd", "daemon.log").read_text()


def test_changes_are_shown_and_brought(engine: str, repository: Path) -> None:  # noqa: F811
    def sandboxd(*words: str) -> str:
        done = sandboxes.run(engine, repository, *words)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    sandboxd("up", "--allow-runc")
    try:
        sandboxd("exec", "-n", "sh", "-c", "echo 'print(2)' >> main.py; rm gone.txt")
        shown = sandboxd("review", "--diff")
        assert "M main.py" in shown and "+print(2)" in shown and "D gone.txt" in shown
        # What was collected to be shown does not stay.
        assert not list(Path(collect.folder()).glob("*"))
        sandboxd("review", "--apply", "--yes")
        assert (repository / "main.py").read_text() == "print(1)\nprint(2)\n"
        assert (repository / "gone.txt").exists()
        assert f"review of `{repository}`" in log()
    finally:
        sandboxd("down", "--discard")


@pytest.mark.gvisor
def test_a_command_is_measured(engine: str, api: Engine, workspace: Path) -> None:  # noqa: F811
    done = sandboxes.run(
        engine, workspace, "bench", "--rounds", "1", "--json", "--", "sh", "-c", "sleep 0.05"
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["rows"][0]["figures"]
    assert all(figure["milliseconds"] > 50 for figure in figures.values())
    assert f"bench of `{workspace}`" in log()
    assert left_over(api) == []


@pytest.mark.gvisor
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_measurement_whose_client_goes_leaves_nothing(
    engine: str,
    api: Engine,
    workspace: Path,  # noqa: F811
    number: int,
) -> None:
    command = sandboxes.command(engine, workspace, "bench", "--rounds", "50", "--", "sleep", "0.1")
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": root}, stderr=subprocess.DEVNULL
    )
    eventually(lambda: len(left_over(api)) >= 2 or process.poll() is not None)
    process.send_signal(number)
    process.wait(PATIENCE)
    eventually(lambda: not left_over(api), lambda: left_over(api))


def test_output_is_followed_to_its_end(engine: str, project: Path) -> None:
    assert sandboxes.run(engine, project, "up", "--allow-runc").returncode == 0
    try:
        command = sandboxes.command(engine, project, "logs", "--follow")
        root = str(Path(__file__).parents[2])
        process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": root},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        # The main process sleeps; what is written to its streams is its output.
        write = "echo out > /proc/1/fd/1; echo err > /proc/1/fd/2"
        done = sandboxes.run(engine, project, "exec", "-n", "--", "sh", "-c", write)
        assert done.returncode == 0, done.stderr

        def shown() -> tuple[int, str, str]:
            done = sandboxes.run(engine, project, "logs")
            return done.returncode, done.stdout, done.stderr

        # The engine notes output a moment after it was written.
        eventually(lambda: shown() == (0, "out\n", "err\n"), shown)
        assert process.stdout is not None and process.stderr is not None
        # As long as nobody has seen it the end of the sandbox could come first.
        assert (process.stdout.readline(), process.stderr.readline()) == (b"out\n", b"err\n")
    finally:
        assert sandboxes.run(engine, project, "down").returncode == 0
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert (process.returncode, stdout, stderr) == (0, b"", b"")
