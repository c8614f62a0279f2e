from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine import failures
from sandboxd.halt import stop
from tests.patience import eventually
from tests.unit.halt.played import PlayedEngine

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="control groups are Linux's")


@pytest.fixture
def program() -> Iterator[int]:
    """A process that runs inside."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process.pid
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait()


@pytest.fixture
def group(program: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "cgroup.procs"
    file.write_text(f"{program}\n{os.getpid()}\n")
    monkeypatch.setattr(stop, "_processes_file", lambda _container, _pid: str(file))
    return file


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_it_is_stopped_before_the_engine_pauses_it_and_stays_so(program: int, group: Path) -> None:
    engine = PlayedEngine()

    def pause() -> None:
        eventually(lambda: is_stopped(program))
        # One that was forked just then and goes on.
        os.kill(program, signal.SIGCONT)
        eventually(lambda: not is_stopped(program))

    engine.while_pausing = pause
    stop.stop(engine, "c1", program, by_signal=True)  # type: ignore[arg-type]
    assert engine.paused == ["c1"]
    eventually(lambda: is_stopped(program))


def test_it_goes_on_where_the_engine_refuses(program: int, group: Path) -> None:
    engine = PlayedEngine()
    engine.failure = failures.refused(500, "cannot pause")
    with pytest.raises(failures.EngineFailure):
        stop.stop(engine, "c1", program, by_signal=True)  # type: ignore[arg-type]
    eventually(lambda: not is_stopped(program))


def test_it_is_ended_where_the_engine_cannot_pause() -> None:
    engine = PlayedEngine()
    engine.failure, engine.can_end = failures.refused(500, "cgroups not configured"), True
    assert stop.stop(engine, "c1", 0, by_signal=True)  # type: ignore[arg-type]
    assert (engine.paused, engine.ended) == ([], ["c1"])
    # It has ended meanwhile, by itself or by another one who halts it.
    with pytest.raises(failures.ContainerGone):
        stop.stop(engine, "c1", 0, by_signal=True)  # type: ignore[arg-type]


def test_an_engine_that_pauses_at_the_second_attempt_ends_nothing() -> None:
    engine = PlayedEngine()
    refusals = [failures.refused(500, "busy")]
    engine.while_pausing = lambda: setattr(engine, "failure", refusals.pop() if refusals else None)
    assert not stop.stop(engine, "c1", 0, by_signal=True)  # type: ignore[arg-type]
    assert (engine.paused, engine.ended) == (["c1"], [])


@pytest.mark.parametrize("is_inside", [False, True], ids=["on-the-host", "named-so-inside"])
def test_what_a_runtime_has_only_begun_to_start_gets_no_signal(
    program: int, group: Path, is_inside: bool
) -> None:
    """Stopped halfway, it would keep Podman from pausing the container."""
    script = "import os, time; pid = os.fork(); pid and print(pid, flush=True); time.sleep(600)"
    runtime = subprocess.Popen(
        ["/usr/bin/runc", "-c", script], executable=sys.executable, stdout=subprocess.PIPE
    )
    with contextlib.closing(runtime.stdout) as output:  # type: ignore[type-var]
        begun = int(output.readline())  # type: ignore[union-attr]
    inside = [program, begun, *([runtime.pid] if is_inside else [])]
    group.write_text("".join(f"{pid}\n" for pid in inside))
    engine = PlayedEngine()

    def pause() -> None:
        eventually(lambda: is_stopped(program))
        eventually(lambda: is_stopped(begun) == is_inside)

    engine.while_pausing = pause
    try:
        stop.stop(engine, "c1", program, by_signal=True)  # type: ignore[arg-type]
        assert engine.paused == ["c1"]
    finally:
        for pid in (begun, runtime.pid):
            os.kill(pid, signal.SIGKILL)
        runtime.wait()


def test_gvisor_is_left_to_the_engine(program: int, group: Path) -> None:
    engine = PlayedEngine()
    engine.while_pausing = lambda: is_stopped(program) and pytest.fail("it cannot pause now")
    stop.stop(engine, "c1", program, by_signal=False)  # type: ignore[arg-type]
    assert engine.paused == ["c1"]


def test_a_group_that_is_not_the_containers_gets_no_signal() -> None:
    assert stop._processes_file("0" * 64, os.getpid()) == ""
    assert stop._processes_file("0" * 64, 2**30) == ""


HANGS = failures.unreachable("unix:///x", TimeoutError(), 2.0)
IS_GONE = failures.unreachable("unix:///x", ConnectionRefusedError(), 2.0)


@pytest.mark.parametrize(
    ("silence", "by_signal"),
    [(HANGS, True), (IS_GONE, True), (HANGS, False)],
    ids=["hangs-runc", "gone-runc", "hangs-gvisor"],
)
def test_it_stays_stopped_while_no_engine_answers(
    program: int, group: Path, silence: Exception, by_signal: bool
) -> None:
    # This process is in the group, for the test of what is left out, and never stops.
    group.write_text(f"{program}\n")
    engine = PlayedEngine()
    engine.failure = silence
    for _ in range(2):
        with pytest.raises(stop.Silent) as caught:
            stop.stop(engine, "c1", program, by_signal=by_signal)  # type: ignore[arg-type]
        assert caught.value.is_held and is_stopped(program)
    engine.failure = None
    seen: list[bool] = []
    engine.while_pausing = lambda: seen.append(is_stopped(program))
    assert not stop.stop(engine, "c1", program, by_signal=by_signal)  # type: ignore[arg-type]
    # Under gVisor what was stopped is what carries out the pause.
    assert (engine.paused, seen) == (["c1"], [by_signal])


def test_under_gvisor_it_is_killed_where_no_engine_is_there(program: int, group: Path) -> None:
    """An engine cannot start while a sandbox that it is to find again answers nothing."""
    group.write_text(f"{program}\n")
    engine = PlayedEngine()
    engine.failure = IS_GONE
    assert stop.stop(engine, "c1", program, by_signal=False)  # type: ignore[arg-type]
    assert Path(f"/proc/{program}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_what_cannot_be_stopped_is_not_said_to_be_held(
    program: int, group: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = PlayedEngine()
    engine.failure = HANGS
    # As root's processes are for the daemon of a user.
    monkeypatch.setattr(stop, "_signal", lambda _pids, _number: None)
    group.write_text(f"{program}\n")
    with pytest.raises(stop.Silent) as caught:
        stop.stop(engine, "c1", program, by_signal=False)  # type: ignore[arg-type]
    assert not caught.value.is_held
