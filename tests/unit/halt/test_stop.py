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
