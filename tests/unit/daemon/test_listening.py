"""One run of the watcher's library: how often it looks, and that nothing waits longer than it has to."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandboxd.daemon.listening import Changes, Listening, _Looks
from tests.patience import PATIENCE, eventually

_NEVER_MS = 3_600_000
"""A step that no test waits for."""


class Told:
    """Collects what a run tells."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.has_some = threading.Event()

    def __call__(self, changes: Changes) -> None:
        self.paths |= {path for _, path in changes}
        self.has_some.set()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def run(tmp_path: Path, told: Told) -> Iterator[Callable[[int], Listening]]:
    """Begins a run with a step of so many milliseconds."""
    runs: list[Listening] = []

    def begin(step_ms: int) -> Listening:
        runs.append(Listening([str(tmp_path)], told, lambda _error: None, step_ms))
        runs[-1].start()
        runs[-1].wait_until_it_listens()
        return runs[-1]

    yield begin
    for listening in runs:
        listening.stop()


def test_a_change_is_told_at_the_next_look(
    tmp_path: Path, told: Told, run: Callable[[int], Listening]
) -> None:
    run(1)
    (tmp_path / "file").write_text("x")
    assert told.has_some.wait(PATIENCE)
    assert told.paths == {str(tmp_path / "file")}


def test_who_knows_of_a_change_need_not_wait_for_the_step(
    tmp_path: Path, told: Told, run: Callable[[int], Listening]
) -> None:
    listening = run(_NEVER_MS)
    (tmp_path / "file").write_text("x")
    # The kernel's word may come after a look.
    for _ in range(int(PATIENCE * 100)):
        listening.look_now()
        if told.has_some.wait(0.01):
            break
    assert told.paths == {str(tmp_path / "file")}


def test_an_end_waits_for_no_step(run: Callable[[int], Listening]) -> None:
    listening = run(_NEVER_MS)
    listening.stop()
    eventually(lambda: not listening._thread.is_alive())


def test_two_looks_cost_one_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library tells what two looks in a row saw; each wait is a wake-up of the daemon."""
    looks = _Looks(50.0)
    waits: list[float] = []

    class Lock:
        def acquire(self, timeout: float) -> bool:
            waits.append(timeout)
            return False

    monkeypatch.setattr(looks, "_waiting", Lock())
    assert [(looks.is_set(), len(waits)) for _ in range(6)] == [
        *((False, 0), (False, 1), (False, 1), (False, 2), (False, 2), (False, 3))
    ]


def test_a_hurry_counts_once_and_for_the_next_wait_at_the_latest() -> None:
    looks = _Looks(0.0)
    looks.hurry()
    looks.hurry()
    assert looks._waiting.acquire(blocking=False)
    assert not looks._waiting.acquire(blocking=False)


def test_a_run_that_nobody_ended_lets_the_interpreter_end(tmp_path: Path) -> None:
    # Without the end of the run the interpreter aborts each time that it finds the thread at a look, every millisecond.
    program = f"""
from sandboxd.daemon.listening import Listening
runs = [Listening([{str(tmp_path)!r}], print, print, 1) for _ in range(8)]
for run in runs:
    run.start()
    run.wait_until_it_listens()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
