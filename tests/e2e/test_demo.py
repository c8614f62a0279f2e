"""The README's first command: `./dev demo` shows everything and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.integration.daemon.world import read_until
from tests.patience import PATIENCE, eventually
from tools.engine import private, processes

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.engine


def demo(*prefix: str) -> subprocess.Popen[str]:
    """Start `./dev demo --yes` without a terminal; DEV_SETUP: this very .venv is in use."""
    return subprocess.Popen(
        [*prefix, str(ROOT / "dev"), "demo", "--yes"],
        env={**os.environ, "DEV_SETUP": "skip"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str], seconds: float = 600) -> str:
    """The output of the demo; a demo that hangs is killed, and its engine with it."""
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        private.sweep()
        pytest.fail(f"the demo did not end within {seconds} s:\n{output}")
    return output


def is_deserted(folder: str) -> bool:
    """Whether no process has its home there any more: one that is ended needs a moment."""
    return not processes.with_home(folder, below=True)


def has_no_engine(folder: str) -> bool:
    return not processes.of_folder(folder)


def assert_nothing_left(output: str) -> None:
    folders = set(re.findall(r"/\S*/sandboxd-demo-\w+", output))
    assert folders, output
    for folder in folders:
        eventually(partial(is_deserted, folder), partial(processes.with_home, folder, below=True))
        assert not Path(folder).exists()
    for engine in re.findall(rf"{private.BASE}/demo-\d+", output):
        assert not Path(engine).exists()
        eventually(partial(has_no_engine, engine), partial(processes.of_folder, engine))


def test_the_whole_demo(runsc: str) -> None:
    process = demo()
    output = finish(process)
    assert process.returncode == 0, output
    for number in range(1, 11):
        assert f"== {number}. " in output
    for line in (
        "error[docker-socket-mounted]",
        "error[home-mounted]",
        '-    "--privileged",',
        "Linux version 4.4.0",
        "it is sunny today",
        "(exit code 6)",
        "error privileged-container:",
    ):
        assert line in output, f"{line!r} is not in:\n{output}"
    assert re.search(r"regenerated in \d+ ms", output)
    assert "escaped" in output.split("Now the weak container")[1]
    assert "traceback" not in output.lower()
    assert_nothing_left(output)


def no_root() -> list[str]:
    """Runs a command without root's powers. A user namespace keeps this Python readable; in a
    chroot, which cannot have one, give up the user id."""
    inside = ["unshare", "--user", "--"]
    if subprocess.run([*inside, "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0:
        return inside
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]


def test_without_root_the_rest_is_shown_and_named() -> None:
    process = demo(*no_root())
    output = finish(process)
    assert process.returncode == 4, output
    assert "No engine: starting a private engine needs root" in output
    assert "sudo ./dev demo --yes" in output
    for number in (1, 3, 4, 7, 8, 9, 10):
        assert f"== {number}. " in output
    assert "== 5. " not in output
    assert_nothing_left(output)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_takes_everything_down(number: signal.Signals) -> None:
    process = demo()
    screen = read_until(process.stdout, "== 5. ", 10 * PATIENCE)
    process.send_signal(number)
    output = screen + finish(process)
    assert process.returncode == 130, output
    assert "interrupted: everything was taken down" in output
    assert_nothing_left(output)
