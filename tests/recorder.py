"""Where the time of a run goes: `--record FOLDER` writes what each test, fixture and process costs.

One file of lines for each process of pytest; `tools/suite/recorded.py` reads them. Processor time is that of
the test's process and all that it started. As root that is exact and includes containers, by a control group
for each process of pytest; otherwise a process counts once it was waited for.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest

_monotonic = time.monotonic
"""The real one: tests put others in its place."""

_ROOT = "/sys/fs/cgroup"
_ENGINES = "sandboxd-engine-test-{pid}"
"""The control group of the private engine of one process of pytest, as `tools/engine/private.py` names it."""


class Clock:
    """Wall and processor time of this process and of what it started."""

    def __init__(self) -> None:
        self._files: list[Path] = []
        self._group = self._own_group()

    def read(self) -> tuple[float, float]:
        """Seconds since any fixed point: of the wall, of processors."""
        return _monotonic(), self._processors()

    def close(self) -> None:
        """Go back to where this process came from."""
        if self._group:
            for pid in (self._group / "cgroup.procs").read_text().split():
                with contextlib.suppress(OSError):
                    (self._group.parent / "cgroup.procs").write_text(pid)
            with contextlib.suppress(OSError):
                self._group.rmdir()

    def _own_group(self) -> Path | None:
        base = Path(_ROOT, "cpuacct")
        name = "cpuacct.usage"
        if not base.is_dir():
            base, name = Path(_ROOT), "cpu.stat"
        group = base / f"sandboxd-tests-{os.getpid()}"
        try:
            group.mkdir()
            (group / "cgroup.procs").write_text(str(os.getpid()))
        except OSError:
            with contextlib.suppress(OSError):
                group.rmdir()
            return None
        self._files = [group / name, base / _ENGINES.format(pid=os.getpid()) / name]
        return group

    def _processors(self) -> float:
        if not self._files:
            return sum(os.times()[:4])
        total = 0.0
        for file in self._files:
            with contextlib.suppress(OSError):
                text = file.read_text()
                total += int(text) / 1e9 if text[0].isdigit() else int(text.split()[1]) / 1e6
        return total


class Cost(NamedTuple):
    """What something took, in seconds."""

    wall: float
    processor: float


class Recorder:
    """A plugin of pytest that writes one line for each test."""

    def __init__(self, file: Path) -> None:
        self._clock = Clock()
        self._file: IO[str] = file.open("w", encoding="utf-8")
        self._phases: dict[str, Cost] = {}
        self._fixtures: list[tuple[str, str, Cost]] = []
        self._nested: list[Cost] = []
        self._processes: list[tuple[str, Cost | None]] = []
        self._begin = self._clock.read()
        self._take_processes()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Generator[None, Any, Any]:
        with self._phase("setup"):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, Any, Any]:
        with self._phase("call"):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, Any, Any]:
        with self._phase("teardown"):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        begin = self._clock.read()
        self._nested.append(Cost(0, 0))
        try:
            return (yield)
        finally:
            whole = self._since(begin)
            inner = self._nested.pop()
            if self._nested:
                outer = self._nested[-1]
                self._nested[-1] = Cost(outer[0] + whole[0], outer[1] + whole[1])
            own = Cost(whole.wall - inner.wall, whole.processor - inner.processor)
            self._fixtures.append((fixturedef.argname, fixturedef.scope, own))

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        if not self._phases:  # the process that only hands tests out hears of their ends, too
            return
        self._write(
            test=nodeid,
            phases={name: _rounded(cost) for name, cost in self._phases.items()},
            fixtures=[
                [name, scope, *_rounded(cost)]
                for name, scope, cost in self._fixtures
                if max(cost) >= 0.001
            ],
            processes=[[name, *_rounded(cost)] for name, cost in self._processes],
        )
        self._phases, self._fixtures = {}, []
        self._processes.clear()

    def pytest_sessionfinish(self) -> None:
        self._write(session=_rounded(self._since(self._begin)))
        self._file.close()
        self._clock.close()

    @contextlib.contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        begin = self._clock.read()
        try:
            yield
        finally:
            self._phases[name] = self._since(begin)

    def _since(self, begin: tuple[float, float]) -> Cost:
        now = self._clock.read()
        return Cost(now[0] - begin[0], max(0.0, now[1] - begin[1]))

    def _write(self, **row: object) -> None:
        self._file.write(json.dumps(row, separators=(",", ":")) + "\n")
        self._file.flush()

    def _take_processes(self) -> None:
        """Note each process: as it ends for those that are waited for, as it begins for forked commands."""
        pid = os.getpid()

        def heard(event: str, arguments: tuple[Any, ...]) -> None:
            if event == "sandboxd.tests.forked" and os.getpid() == pid:
                self._processes.append(("sandboxd (forked)", None))

        def ended(program: str, cost: Cost) -> None:
            self._processes.append((program, cost))

        sys.addaudithook(heard)
        _time_processes(ended)


def _time_processes(ended: Any) -> None:
    """Let each `subprocess.Popen` that is waited for tell its program and cost."""
    begin_child: Any = subprocess.Popen.__init__
    wait: Any = getattr(subprocess.Popen, "_try_wait")  # noqa: B009  # not public: checked below

    def init(self: Any, *arguments: Any, **options: Any) -> None:
        self._recorded_begin = _monotonic()
        begin_child(self, *arguments, **options)

    def try_wait(self: Any, flags: int) -> tuple[int, int]:
        try:
            pid, status, usage = os.wait4(self.pid, flags)
        except ChildProcessError:
            fallback: tuple[int, int] = wait(self, flags)
            return fallback
        if pid == self.pid:
            words = [self.args] if isinstance(self.args, (str, bytes)) else list(self.args)
            program = os.path.basename(os.fsdecode(words[0])) if words else ""
            wall = _monotonic() - getattr(self, "_recorded_begin", _monotonic())
            ended(program, Cost(wall, usage.ru_utime + usage.ru_stime))
        return pid, status

    setattr(subprocess.Popen, "__init__", init)  # noqa: B010
    setattr(subprocess.Popen, "_try_wait", try_wait)  # noqa: B010


def _rounded(cost: Cost | None) -> list[float | None]:
    return [None, None] if cost is None else [round(cost.wall, 4), round(cost.processor, 4)]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--record FOLDER`."""
    parser.addoption("--record", metavar="FOLDER", help="write there what each test costs")


def pytest_configure(config: pytest.Config) -> None:
    folder = config.getoption("--record")
    if not folder:
        return
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    Path(folder).mkdir(parents=True, exist_ok=True)
    config.pluginmanager.register(Recorder(Path(folder, f"{worker}.jsonl")), "recorder")
