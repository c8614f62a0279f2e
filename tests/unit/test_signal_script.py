"""The script by which processes inside are signalled, run on processes of this machine."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from pathlib import Path

import pytest

from sandboxd.signal_script import NO_PROCESS, signal_script
from tests.patience import PATIENCE, eventually


def run(variable: str, number: int, shell: str = "sh") -> int:
    return subprocess.run([shell, "-c", signal_script(variable, number)], check=False).returncode


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_goes_on_with_its_next_command_because_another_was_ended_first(
    tmp_path: Path, number: int
) -> None:
    value = secrets.token_hex(8)
    environ = {**os.environ, "MARK": value}
    reading, writing = os.pipe()
    # Between the two in the order of their numbers, so that time passes between the two signals.
    with subprocess.Popen(["sleep", "987"], env=environ, pass_fds=(writing,)) as first:
        between = [subprocess.Popen(["sleep", "987"]) for _ in range(40)]
        words = ["sh", "-c", "cat; echo went on > no"]
        with subprocess.Popen(words, env=environ, cwd=tmp_path, stdin=reading) as shell:
            os.close(reading)
            os.close(writing)
            eventually(lambda: "cat" in _children(shell.pid))
            assert run(f"MARK={value}", number) == 0
            assert (first.wait(PATIENCE), shell.wait(PATIENCE)) == (-number, -number)
        for process in between:
            process.kill()
            process.wait(PATIENCE)
    assert list(tmp_path.iterdir()) == []


def _children(pid: int) -> list[str]:
    """The names of the programs that a process runs."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [Path(f"/proc/{child}/comm").read_text().strip() for child in children]


def test_another_signal_stops_nobody(tmp_path: Path) -> None:
    value, log = secrets.token_hex(8), tmp_path / "log"
    trap = "trap 'echo hup >> log' HUP; echo ready >> log; while :; do sleep 0.05; done"
    environ = {**os.environ, "MARK": value}
    with subprocess.Popen(["sh", "-c", trap], env=environ, cwd=tmp_path) as process:
        eventually(lambda: log.exists() and log.read_text() == "ready\n")
        assert run(f"MARK={value}", signal.SIGHUP) == 0
        eventually(lambda: "hup" in log.read_text())
        assert process.poll() is None
        process.kill()


def test_it_says_where_there_is_no_such_process() -> None:
    assert run(f"MARK={secrets.token_hex(8)}", signal.SIGTERM) == NO_PROCESS
