#!/usr/bin/env python3
"""Measure how long a program inside can still write after the host replaced what is shut, until the sandbox is halted.

    benchmarks/halts.py [--rounds N] [--runtime runc,gvisor] [--strict] [--json]

A loop inside writes to a file of the workspace as fast as it can. The host renames a file over one that is shut, or an
index that enters another repository over git's, and notes the time; the file's own time says when the loop wrote last. Both are the host's clock, the latter in ticks of
its kernel (1 to 10 ms). The daemon is a real one. Without an engine only the watch itself is measured, by `inotify` and
by `watchfiles`: from the rename to the wake-up of the thread that halts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import rows
import up

from sandboxd.daemon import mount_events
from sandboxd.engine.client import Engine, Exec, connect_from
from sandboxd.halt import record
from sandboxd.model.labels import PROJECT
from tools.engine import packages, private

WINDOW_BUDGET = 50.0
"""Milliseconds, p99."""

_LOOP = "while :; do echo x > beat; done"
_SHUT = ".envrc"
_INDEX = ".git/index"
_ENTERS = ".git/index.enters"
_PLAIN = ".git/index.plain"
_SECONDS = 60.0
_SETTLE_SECONDS = 1.5
"""After a start, in which the daemon looks at the sandbox: it is to be measured as it is while somebody works."""

_WATCHED = 40
"""Paths that the measured watch has, as many as a large project shuts."""


def main() -> int:
    return rows.of_runtimes(__doc__, 100, against_budgets)


def against_budgets(rounds: int, runtimes: Sequence[str] = ("runc", "gvisor")) -> list[rows.Row]:
    """The watch, and the window under every runtime; one row says why where there is no engine."""
    return [*watches(rounds), *windows(rounds, runtimes)]


def watches(rounds: int) -> Iterator[rows.Row]:
    """From the rename to the wake-up, by each way to wait for it."""
    ways: dict[str, Callable[[list[str]], mount_events.MountEvents]] = {}
    if sys.platform == "linux":
        ways["inotify"] = mount_events._Inotify
    ways["watchfiles"] = mount_events._Steps
    for name, make in ways.items():
        with tempfile.TemporaryDirectory(prefix="sbx-halts-") as folder:
            times = wake_ups(make, Path(folder), rounds)
            yield from rows.spread(f"wake-up by {name}", times, None, None, 99)


def wake_ups(
    make: Callable[[list[str]], mount_events.MountEvents], folder: Path, rounds: int
) -> list[float]:
    paths = [folder / str(number) for number in range(_WATCHED)]
    for path in paths:
        path.write_text("")
    events = make([str(path) for path in paths])
    woke: list[float] = []
    ready = threading.Semaphore(0)

    def wait() -> None:
        while events.wait():
            woke.append(time.perf_counter())
            ready.release()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    times = []
    for number in range(rounds):
        # The last event of the round before has been told by then.
        time.sleep(0.05)
        while ready.acquire(blocking=False):
            pass
        woke.clear()
        fresh = folder / "new"
        fresh.write_text("")
        began = time.perf_counter()
        fresh.rename(paths[number % _WATCHED])
        ready.acquire(timeout=_SECONDS)
        times.append((woke[0] - began) * 1000)
    events.end()
    thread.join(_SECONDS)
    events.close()
    return times


def windows(rounds: int, runtimes: Sequence[str]) -> Iterator[rows.Row]:
    """From the rename to the last write from inside, by a real daemon."""
    try:
        with (
            tempfile.TemporaryDirectory(prefix="sbx-halts-") as folder,
            up.engine() as host,
            up.daemon(up.user(Path(folder), host)) as environ,
        ):
            for runtime in runtimes:
                times = window_times(Path(folder), environ, runtime, rounds)
                for act, of_act in times.items():
                    what = f"{runtime}, {act} until the halt"
                    yield from rows.spread(what, of_act, None, WINDOW_BUDGET, 99)
    except (private.EngineError, packages.InstallError, RuntimeError) as error:
        yield rows.Row("halts", None, "", None, " ".join(str(error).split()))


def replacement(project: Path, number: int) -> tuple[Path, Path]:
    """A new file, and the one that is shut."""
    fresh = project / "new"
    fresh.write_text(f"{number} of the host\n")
    return fresh, project / _SHUT


def entering(project: Path, _number: int) -> tuple[Path, Path]:
    """An index that enters a repository, as of a pull, and git's own."""
    fresh = project / ".git/index.lock"
    shutil.copyfile(project / _ENTERS, fresh)
    return fresh, project / _INDEX


_ACTS: dict[str, Callable[[Path, int], tuple[Path, Path]]] = {
    "replacement": replacement,
    "index": entering,
}


def make_repository(project: Path) -> None:
    """Put a project under git, with two versions of its index: one enters a repository, one does not."""
    git(project, "init", "-q")
    git(project, "add", "sandboxd.toml")
    shutil.copyfile(project / _INDEX, project / _PLAIN)
    git(project, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},lib")
    shutil.copyfile(project / _INDEX, project / _ENTERS)
    shutil.copyfile(project / _PLAIN, project / _INDEX)
    for path in (project, *project.rglob("*")):
        os.chown(path, 1000, 1000)


def git(project: Path, *words: str) -> None:
    command = ["git", "-c", "safe.directory=*", *words]
    subprocess.run(command, cwd=project, check=True, capture_output=True)


def window_times(
    home: Path, environ: dict[str, str], runtime: str, rounds: int
) -> dict[str, list[float]]:
    project = up.make_project(home / runtime, environ, runtime, '[network]\nmode = "open"\n')
    (project / _SHUT).write_text("0\n")
    make_repository(project)
    up.run([*up.SANDBOXD, "trust", "add", "--yes", str(project)], environ, project)
    up.run([*up.SANDBOXD, "up", "--allow-runc"], environ, project)
    engine = connect_from(environ)
    times: dict[str, list[float]] = {act: [] for act in _ACTS}
    try:
        for number, act in enumerate([*_ACTS] * rounds):
            until(lambda: watched(home, project) > sum(map(len, times.values())),
                  "the daemon does not watch it")  # fmt: skip
            time.sleep(_SETTLE_SECONDS)
            times[act].append(window(engine, environ, project, number, _ACTS[act]))
            restart(engine, project)
    finally:
        command = [*up.SANDBOXD, "down", "--discard"]
        subprocess.run(command, env=environ, cwd=project, capture_output=True, check=False)
    return times


def window(
    engine: Engine,
    environ: dict[str, str],
    project: Path,
    number: int,
    act: Callable[[Path, int], tuple[Path, Path]],
) -> float:
    """Milliseconds that a program inside still wrote after the rename.

    :raises RuntimeError: nothing was halted
    """
    (container,) = engine.containers(f"{PROJECT}={project}")
    started = engine.exec_create(container.id, Exec(["sh", "-c", _LOOP]))
    connection, _ = engine.exec_start(started, False)
    beat = project / "beat"
    until(lambda: beat.exists() and time.time() - beat.stat().st_mtime < 0.1, "nothing is written")
    fresh, target = act(project, number)
    before = record.load(environ, str(project), container.id)
    began = time.time_ns()
    fresh.rename(target)
    until(lambda: record.load(environ, str(project), container.id) != before, "it was not halted")
    last = beat.stat().st_mtime_ns
    connection.close()
    beat.unlink()
    return max(0.0, (last - began) / 1e6)


def restart(engine: Engine, project: Path) -> None:
    """Start its container again, with all mounts: quicker than to make it anew."""
    shutil.copyfile(project / _PLAIN, project / _INDEX)
    (container,) = engine.containers(f"{PROJECT}={project}")
    engine.unpause(container.id)
    engine.stop(container.id, 0)
    for aside in project.glob(f"{_SHUT}.halted*"):
        aside.unlink()
    engine.start(container.id)


def watched(home: Path, project: Path) -> int:
    """How often the daemon began to watch the project's sandbox."""
    log = home / ".local/state/sandboxd/daemon.log"
    return log.read_text(errors="replace").count(f"mounts of `{project}`") if log.exists() else 0


def until(check: Callable[[], bool], problem: str) -> None:
    """:raises RuntimeError: `check` is not true in time"""
    deadline = time.monotonic() + _SECONDS
    while not check():
        if time.monotonic() > deadline:
            raise RuntimeError(problem)
        time.sleep(0.005)


if __name__ == "__main__":
    sys.exit(main())
