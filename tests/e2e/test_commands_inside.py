"""What is done with a sandbox that runs: exec, shell, logs, list, drift."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import termios
import time
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine, Exec
from sandboxd.engine.execute import run_quietly
from tests.conftest import ROOT
from tests.e2e import sandboxes
from tests.e2e.test_life import ids, start
from tests.patience import PATIENCE

pytestmark = pytest.mark.engine


def test_streams_and_exit_codes(engine: str, running: Path) -> None:
    done = sandboxes.run(
        engine, running, "exec", "sh", "-c", "cat; echo err >&2; exit 7", input="in\n"
    )
    assert (done.stdout, done.stderr, done.returncode) == ("in\n", "err\n", 7)
    big = "x" * 300_000
    assert sandboxes.run(engine, running, "exec", "cat", input=big).stdout == big
    done = sandboxes.run(engine, running, "exec", "-n", "no-such-program")
    assert done.returncode == 127
    assert "has no program `no-such-program`" in done.stderr
    assert done.stdout == ""
    assert sandboxes.run(engine, running, "exec", "-n", "/etc").returncode == 126
    assert sandboxes.run(engine, running, "exec", "-n", "id", "-u").stdout == "1000\n"
    assert sandboxes.run(engine, running, "exec", "-n", "--root", "id", "-u").stdout == "0\n"
    flags = ("-e", "A=b c", "-w", "/tmp")
    done = sandboxes.run(engine, running, "exec", "-n", *flags, "--", "sh", "-c", "echo $A; pwd")
    assert done.stdout == "b c\n/tmp\n"
    below = sandboxes.run(engine, running / ".git/hooks", "exec", "-n", "pwd")
    assert below.stdout == f"/workspaces/{running.name}/.git/hooks\n", "where the caller stands"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_reach_the_command(engine: str, running: Path, number: int) -> None:
    script = f'trap "echo got; exit 5" {number}; echo ready; while :; do sleep 0.1; done'
    process = start(engine, running, "exec", "sh", "-c", script)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    output, _ = process.communicate(timeout=PATIENCE)
    assert "got" in output
    assert process.returncode == 5


def test_a_terminal(engine: str, running: Path) -> None:
    command = sandboxes.command(engine, running, "shell")
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-mono", PYTHONPATH=str(ROOT))
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
    output = b""

    def read_until(words: bytes) -> None:
        nonlocal output
        deadline = time.monotonic() + PATIENCE
        while words not in output and time.monotonic() < deadline:
            try:
                output += os.read(terminal, 4096)
            except OSError:
                return

    read_until(b"$ ")
    os.kill(pid, signal.SIGWINCH)
    # The size comes by the engine, some time later.
    waits = b'until [ "$(stty size)" = "33 ""99" ]; do sleep 1; done'
    os.write(terminal, waits + b"; stty size; echo $TERM-$((40+2)); exit 9\n")
    read_until(b"never")
    assert b"33 99" in output, output
    assert b"xterm-mono-42" in output
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9


def test_what_a_key_and_a_kill_end_has_the_code_of_a_shell(engine: str, running: Path) -> None:
    """130 for Ctrl-C at a terminal, 137 for SIGKILL (as for one out of memory): as `docker exec`."""
    command = sandboxes.command(engine, running, "exec", "--", "sh", "-c", "echo ready; sleep 600")
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["PYTHONPATH"] = str(ROOT)
        os.execvp(command[0], command)
    output = b""
    while b"ready" not in output:
        output += os.read(terminal, 4096)
    os.write(terminal, b"\x03")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130
    killed = sandboxes.run(engine, running, "exec", "-n", "sh", "-c", "kill -9 $$")
    assert killed.returncode == 137, killed.stderr


def test_logs_and_list(engine: str, api: Engine, running: Path) -> None:
    run_quietly(api, ids(api, running)[0], Exec(["sh", "-c", "echo hello >/proc/1/fd/1"], user="0"))
    listed = json.loads(sandboxes.run(engine, running, "list", "--json").stdout)["sandboxes"]
    assert [(row["project"], row["state"], row["made_by"]) for row in listed] == [
        (str(running), "running", "up")
    ]
    assert str(running) in sandboxes.run(engine, running, "list").stdout
    assert sandboxes.run(engine, running, "logs").returncode == 0
    assert sandboxes.run(engine, running, "logs", "--tail", "x").returncode == 2


def test_drift_is_seen(engine: str, api: Engine, running: Path) -> None:
    done = sandboxes.run(engine, running, "drift", "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["drift"]) == (0, []), done.stdout
    states = {c["name"]: c["state"] for c in answer["controls"]}
    assert states["capabilities"] == "in force"
    assert states[f"read-only /workspaces/{running.name}/.git"] == "in force"
    with (running / "sandboxd.toml").open("a") as file:
        file.write('\n[network]\nmode = "none"\n')
    if "runc" in (running / "sandboxd.toml").read_text():
        sandboxes.grant(running)
    done = sandboxes.run(engine, running, "drift")
    assert done.returncode == 6, done.stderr
    assert "network: planned none, found sandboxd-" in done.stdout
