#!/usr/bin/env python3
"""What the daemon costs as the load grows: projects that it keeps, editors that are attached.

    benchmarks/daemon.py [--projects 1,10,...] [--editors 1,5,20] [--rounds N] [--json]

Each load gets a daemon of its own. Processes are started in turn with an empty Python, so that a
busy machine slows all alike: read the ratios. Nothing of the user's is touched: home, runtime
folder and state are temporary, no engine is used.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

import editor
import processes

from sandboxd.ipc import address, dial

GENERATED = ".devcontainer/devcontainer.json"
_SAMPLES = 40
_PING_SECONDS = 0.01
_LONGEST_SECONDS = 900.0


class Load(NamedTuple):
    """One line of the table; times in milliseconds, memory in MiB.

    `bare` is `python -c pass` in the same minute, by which the others can be judged. `first` is the first `status` after the start, `stall` the longest that the daemon left a
    request unanswered while it took up its projects, `settled` the seconds until it had.
    `rss` and `pss` are after a full `status`. `idle` is in percent of a core.
    """

    projects: int
    editors: int
    bare: float
    first: float
    stall: float
    settled: float
    status: float
    attach: float
    p50: float
    p95: float
    rss: float
    pss: float
    idle: float
    wakeups: float


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--projects", default="1,10,100,1000,5000", help="loads, without editors")
    parser.add_argument("--editors", default="1,5,20", help="loads, with one project")
    parser.add_argument("--rounds", type=int, default=15, help="starts of each process")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    args = parser.parse_args()
    loads = [(int(count), 0) for count in args.projects.split(",") if count]
    loads += [(1, int(count)) for count in args.editors.split(",") if count]
    rows = []
    for projects, editors in loads:
        with tempfile.TemporaryDirectory(prefix="sbx-bench-") as folder:
            rows.append(measure(Path(folder), projects, editors, args.rounds))
        if not args.json:
            print(line(rows[-1]) if len(rows) > 1 else f"{heading()}\n{line(rows[-1])}")
    if args.json:
        print(json.dumps([load._asdict() for load in rows], indent=1))
    return 0


def measure(home: Path, projects: int, editors: int, rounds: int) -> Load:
    """All numbers of one load."""
    environ = processes.user(home)
    workspaces = prepare(home, environ, projects)
    with daemon(environ) as pid, Pinger(environ) as pinger:
        begin = time.perf_counter()
        processes.seconds([processes.SCRIPT, "status"], environ, home)
        first = (time.perf_counter() - begin) * 1000
        settled = settle(workspaces)
        stall = pinger.end()
        with attached(environ, editors):
            saved = saves(workspaces)
            bare, status, attach = ratios(environ, home, rounds)
            # Each way to ask for everything, then look at what it left behind.
            for arguments in (["status"], ["status", "--json"]):
                processes.seconds([processes.SCRIPT, *arguments], environ, workspaces[0])
            rss, pss = processes.resident(pid) or 0.0, processes.proportional(pid)
            idle, wakeups = processes.idleness(pid)
    return Load(
        projects,
        editors,
        bare,
        first,
        stall,
        settled,
        status,
        attach,
        statistics.median(saved),
        sorted(saved)[int(len(saved) * 0.95)],
        rss,
        pss,
        idle,
        wakeups,
    )


def prepare(home: Path, environ: dict[str, str], count: int) -> list[Path]:
    """Projects that are remembered and of which nothing was generated yet: the worst start."""
    workspaces = [home / "p" / f"project{number}" for number in range(count)]
    for number, workspace in enumerate(workspaces):
        workspace.mkdir(parents=True)
        (workspace / "sandboxd.toml").write_text(f'profile = "dev"\nimage = "image{number}"\n')
    engine = json.dumps(environ["DOCKER_HOST"])
    store = home / "state" / "sandboxd" / "projects.toml"
    store.parent.mkdir(parents=True)
    store.write_text(
        "".join(f'[[projects]]\npath = "{path}"\ndocker_host = {engine}\n' for path in workspaces)
    )
    return workspaces


@contextlib.contextmanager
def daemon(environ: dict[str, str]) -> Iterator[int]:
    """A daemon that takes up what is remembered."""
    process = subprocess.Popen(
        [*processes.MODULE, "daemon", "run", "--background"], env=environ, stdin=subprocess.DEVNULL
    )
    try:
        connected(environ).close()
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def connected(environ: dict[str, str]) -> socket.socket:
    """A connection to the daemon, as soon as there is one."""
    path = address.socket_path(address.folder(environ, os.getuid()))
    deadline = time.monotonic() + 60
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(path)
            return connection
        except OSError:
            connection.close()
            if time.monotonic() > deadline:
                raise SystemExit("the daemon did not come up") from None
            time.sleep(0.005)


class Pinger:
    """Asks something trivial all the time; `end` tells the longest wait, in milliseconds."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._environ = environ
        self._connection = connected(environ)
        self._connection.settimeout(60)
        self._stop = threading.Event()
        self._worst = 0.0
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Pinger:
        self._send(dial.hello(self._environ, "/").encode())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._connection.close()

    def end(self) -> float:
        self._stop.set()
        self._thread.join()
        return self._worst * 1000

    def _run(self) -> None:
        while not self._stop.wait(_PING_SECONDS):
            begin = time.perf_counter()
            self._ask("ping", {})
            self._worst = max(self._worst, time.perf_counter() - begin)

    def _ask(self, method: str, params: Mapping[str, object]) -> None:
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self._send(json.dumps(message).encode() + b"\n")

    def _send(self, line: bytes) -> None:
        self._connection.sendall(line)
        while not self._connection.recv(65536).endswith(b"\n"):
            pass


def settle(workspaces: list[Path]) -> float:
    """Seconds until every project was dealt with: all have their generated file."""
    begin = time.monotonic()
    for workspace in workspaces:
        while not inode(workspace / GENERATED) and time.monotonic() - begin < _LONGEST_SECONDS:
            time.sleep(0.05)
    return time.monotonic() - begin


def saves(workspaces: list[Path]) -> list[float]:
    """From the rename that saves a sandboxd.toml to the renamed devcontainer.json."""
    seconds = []
    for number in range(_SAMPLES):
        workspace = workspaces[number * len(workspaces) // _SAMPLES]
        generated = workspace / GENERATED
        before = inode(generated)
        # At any point of the watcher's step.
        time.sleep(0.1 + random.random() / 10)
        new = workspace / "new"
        new.write_text(f'profile = "dev"\nimage = "saved{number}"\n')
        begin = time.perf_counter()
        new.rename(workspace / "sandboxd.toml")
        while inode(generated) == before and time.perf_counter() - begin < 20:
            time.sleep(0.0005)
        seconds.append((time.perf_counter() - begin) * 1000)
    return seconds


def inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def ratios(environ: dict[str, str], home: Path, rounds: int) -> tuple[float, float, float]:
    """`python -c pass` in ms, `status` beside it, attaching beside `python -I -S -c pass`; in turn."""
    times: dict[str, list[float]] = {"pass": [], "bare": [], "status": [], "attach": []}
    for _ in range(rounds):
        times["pass"].append(processes.seconds([processes.PYTHON, "-c", "pass"], environ, home))
        times["status"].append(processes.seconds([processes.SCRIPT, "status"], environ, home))
        times["bare"].append(
            processes.seconds([processes.PYTHON, "-I", "-S", "-c", "pass"], environ, home)
        )
        begin = time.perf_counter()
        session = editor.Editor([processes.SCRIPT, "lsp", "--stdio"], environ)
        try:
            session.initialize()
            times["attach"].append(time.perf_counter() - begin)
        finally:
            session.close()
    median = {name: statistics.median(seconds) for name, seconds in times.items()}
    bare = median["pass"]
    return bare * 1000, median["status"] / bare, median["attach"] / median["bare"]


@contextlib.contextmanager
def attached(environ: dict[str, str], count: int) -> Iterator[None]:
    """Editors with a file open each."""
    sessions = [editor.Editor([processes.SCRIPT, "lsp", "--stdio"], environ) for _ in range(count)]
    try:
        for session in sessions:
            session.initialize()
            session.open(editor.sample(200))
        yield
    finally:
        for session in sessions:
            session.close()


def heading() -> str:
    names = (
        *("projects", "editors", "pass ms", "first status ms", "stall ms", "settled s", "status x"),
        *("attach x", "save p50 ms", "save p95 ms", "RSS MiB", "PSS MiB", "idle %", "wake-ups/s"),
    )
    return "  ".join(names)


def line(load: Load) -> str:
    names = heading().split("  ")
    cells = [f"{value:.2f}" if isinstance(value, float) else str(value) for value in load]
    return "  ".join(cell.rjust(len(name)) for cell, name in zip(cells, names, strict=True))


if __name__ == "__main__":
    sys.exit(main())
