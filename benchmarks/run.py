#!/usr/bin/env python3
"""Measure what users feel against the budgets, side by side with what it is compared with, in one run.

    benchmarks/run.py [--only PART,...] [--rounds N] [--projects N] [--strict] [--json]

Parts: `commands` and `editor`, beside the bare interpreter; `saves`; `idle`; `many`, a daemon with 5,000
projects; `engine`, `up` and `exec` beside docker, devcontainer-rs and the dev container CLI, on the engine
of DOCKER_HOST, else on a private one; `halts`, the time until a sandbox that lost a mount is halted; `rights`, the
time until a sandbox that runs lacks what was taken back; `synced`, a copy that is kept the same beside a mount and
`rsync`. All together take fifteen minutes.

Processes are started in turn, so that a busy machine slows all alike: read the ratios. Nothing
of the user's is touched: home, runtime folder and state are temporary.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import daemon as load
import editor
import halts
import rights
import synced
import up
from processes import (
    MODULE,
    PYTHON,
    SCRIPT,
    answers,
    cpu_seconds,
    idleness,
    processor_ms,
    resident,
    seconds,
    user,
)
from rows import Row, as_json, spread, table

PARTS = ("commands", "saves", "editor", "idle", "many", "engine", "halts", "rights", "synced")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--only", default=",".join(PARTS), metavar="PART,...", help="these parts")
    parser.add_argument("--rounds", type=int, default=40, help="starts of each process")
    parser.add_argument("--projects", type=int, default=5000, help="of the part `many`")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a budget is not kept")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    args = parser.parse_args()
    parts = args.only.split(",")
    if not set(parts) <= set(PARTS):
        parser.error(f"the parts are {', '.join(PARTS)}")
    rows = measure(parts, max(args.rounds, 3), args.projects)
    print(as_json(rows) if args.json else table(rows))
    over = [row for row in rows if row.verdict in ("OVER", "not measured")]
    return 1 if over and args.strict else 0


def measure(parts: list[str], rounds: int, projects: int) -> list[Row]:
    """The rows of these parts, in the order of `PARTS`."""
    rows: list[Row] = []
    if {"commands", "saves", "editor", "idle"} & set(parts):
        with tempfile.TemporaryDirectory(prefix="sbx-bench-") as folder:
            rows += without_engine(parts, Path(folder), rounds)
    if "many" in parts:
        with tempfile.TemporaryDirectory(prefix="sbx-bench-") as folder:
            rows += many_projects(load.measure(Path(folder), projects, 0, 5))
    if "engine" in parts:
        rows += up.against_budgets(max(rounds // 2, 3))
    if "halts" in parts:
        rows += halts.against_budgets(max(rounds, 3))
    if "rights" in parts:
        rows += rights.against_budgets(max(rounds // 2, 3))
    if "synced" in parts:
        rows += synced.against_budgets(max(rounds // 2, 3))
    return rows


def without_engine(parts: list[str], home: Path, rounds: int) -> list[Row]:
    """What one daemon with one project is measured by."""
    environ = user(home)
    project = home / "app"
    (project / ".devcontainer").mkdir(parents=True)
    weak = home / "weak" / ".devcontainer" / "devcontainer.json"
    weak.parent.mkdir(parents=True)
    # The median real one has 1,300 bytes.
    weak.write_text(editor.sample(45))
    (project / "sandboxd.toml").write_text('profile = "dev"\nimage = "x"\n')
    rows: list[Row] = []
    with daemon(project, environ) as pid:
        if {"commands", "idle"} & set(parts):
            rows.append(memory(pid, environ, project))
        if "commands" in parts:
            rows += commands(environ, project, weak, rounds)
        if "saves" in parts:
            rows += saves(project, 40)
        if "editor" in parts:
            rows += attaching(environ, rounds)
            rows += typing(environ, editor.sample(200), pid)
            rows += many_editors(environ, pid)
        if "idle" in parts:
            rows += idle("daemon, idle", *idleness(pid))
    return rows + (alone(environ, editor.sample(200)) if "editor" in parts else [])


def memory(pid: int, environ: dict[str, str], cwd: Path) -> Row:
    """Memory of the daemon before any editor came, after all ways to ask it for everything."""
    for arguments in (["status"], ["status", "--json"]):
        seconds([SCRIPT, *arguments], environ, cwd)
    detail = "one project, no editor, after a full `status`"
    return Row("daemon, resident memory", resident(pid), "MiB", 60, detail)


def idle(what: str, percent: float, wakeups: float) -> list[Row]:
    return [
        Row(f"{what}, use of a processor", percent, "%", 0.15, "over 20 s"),
        Row(f"{what}, wake-ups", wakeups, "/s", 25, "of all its threads"),
    ]


def many_projects(measured: load.Load) -> list[Row]:
    """The budgets of a daemon with very many projects, each of which was generated once."""
    what = f"{measured.projects:,} projects"
    return [
        Row(f"{what}, save -> regenerated, p50", measured.p50, "ms", 50, ""),
        Row(f"{what}, save -> regenerated, p95", measured.p95, "ms", 80, ""),
        Row(f"{what}, resident memory", measured.rss, "MiB", 120, "after a full `status`"),
        Row(f"{what}, `status`", measured.status, "x pass", 1.6, f"pass {measured.bare:.1f} ms"),
        *idle(f"{what}, idle", measured.idle, measured.wakeups),
        Row(f"{what}, longest answer at the start", measured.stall, "ms", None, ""),
        Row(f"{what}, all generated", measured.settled, "s", None, "after the worst start"),
    ]


def commands(environ: dict[str, str], cwd: Path, weak: Path, rounds: int) -> list[Row]:
    """Whole processes, started in turn."""
    commands = {
        "pass": [PYTHON, "-c", "pass"],
        "status, console script": [SCRIPT, "status"],
        "status, python -m": [*MODULE, "status"],
        "check one file, console script": [SCRIPT, "check", str(weak)],
        "check one file, python -m": [*MODULE, "check", str(weak)],
    }
    works = {name for name, command in commands.items() if answers(command, environ, cwd)}
    times: dict[str, list[float]] = {name: [] for name in commands if name in works}
    for _ in range(rounds):
        for name, durations in times.items():
            durations.append(seconds(commands[name], environ, cwd))
    medians = {name: statistics.median(durations) * 1000 for name, durations in times.items()}
    rows = [Row("python -c pass", medians["pass"], "ms", None, f"median of {rounds}, in turn")]
    for name in list(commands)[1:]:
        is_check = name.startswith("check")
        unit, asked = ("ms of processor", 60.0) if is_check else ("x pass", 1.6)
        # The budgets are for the installed command.
        budget = None if name.endswith("-m") else asked
        if name not in medians:
            rows.append(Row(name, None, unit, budget, "the command does not work here"))
            continue
        ratio = medians[name] / medians["pass"]
        note = f"{medians[name]:.1f} ms, {ratio:.2f} x pass"
        if is_check:
            used = statistics.median(
                processor_ms(commands[name], environ, cwd) for _ in range(rounds)
            )
            rows.append(Row(name, used, unit, budget, note))
        else:
            rows.append(Row(name, ratio, unit, budget, note))
    return rows


@contextlib.contextmanager
def daemon(project: Path, environ: dict[str, str]) -> Iterator[int]:
    """A daemon that keeps `project`; ended whatever happens."""
    subprocess.run(
        [*MODULE, "daemon", "start"], env=environ, cwd=project, check=True, capture_output=True
    )
    status = subprocess.run(
        [*MODULE, "status", "--json"], env=environ, cwd=project, check=True, capture_output=True
    )
    pid = json.loads(status.stdout)["daemon"]["pid"]
    try:
        yield pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
            for _ in range(200):
                os.kill(pid, 0)
                time.sleep(0.01)
            os.kill(pid, signal.SIGKILL)


def saves(project: Path, count: int) -> list[Row]:
    """From the rename that saves sandboxd.toml to the renamed devcontainer.json."""
    generated = project / ".devcontainer" / "devcontainer.json"
    seconds = []
    for number in range(count):
        # At any point of the watcher's step.
        time.sleep(0.1 + random.random() / 10)
        before = generated.stat().st_ino
        new = project / "new"
        new.write_text(f'profile = "dev"\nimage = "i{number}"\n')
        begin = time.perf_counter()
        new.rename(project / "sandboxd.toml")
        while generated.stat().st_ino == before:
            if time.perf_counter() - begin > 10:
                return [Row("save -> regenerated, p50", None, "ms", 50, "nothing was written")]
            time.sleep(0.0005)
        seconds.append((time.perf_counter() - begin) * 1000)
    return spread("save -> regenerated", seconds, 50, 80)


def attaching(environ: dict[str, str], rounds: int) -> list[Row]:
    """From the start of `sandboxd lsp` to its first answer, beside an interpreter that does nothing."""
    bare: list[float] = []
    durations: list[float] = []
    for _ in range(rounds):
        bare.append(seconds([PYTHON, "-I", "-S", "-c", "pass"], environ, Path(environ["HOME"])))
        begin = time.perf_counter()
        session = editor.Editor([SCRIPT, "lsp", "--stdio"], environ)
        try:
            session.initialize()
            durations.append(time.perf_counter() - begin)
        finally:
            session.close()
    ratio = statistics.median(durations) / statistics.median(bare)
    detail = f"{statistics.median(durations) * 1000:.1f} ms, of {rounds}"
    return [Row("lsp, attach to the daemon", ratio, "x -I -S pass", 3, detail)]


def many_editors(environ: dict[str, str], pid: int, count: int = 20) -> list[Row]:
    """Memory of the daemon with many editors, each with a file open."""
    sessions = [editor.Editor([SCRIPT, "lsp"], environ) for _ in range(count)]
    try:
        for session in sessions:
            session.initialize()
            session.open(editor.sample(200))
        after = resident(pid)
    finally:
        for session in sessions:
            session.close()
    return [
        Row(f"daemon, resident memory, {count} editors", after, "MiB", 75, ""),
    ]


def alone(environ: dict[str, str], text: str) -> list[Row]:
    """The same session without a daemon."""
    begin = time.perf_counter()
    session = editor.Editor([SCRIPT, "lsp", "--no-daemon"], environ)
    try:
        session.initialize()
        start = (time.perf_counter() - begin) * 1000
        begin = time.perf_counter()
        session.open(text)
        first = (time.perf_counter() - begin) * 1000
        memory = resident(session.process.pid)
    finally:
        session.close()
    return [
        Row("lsp --no-daemon, start -> initialize result", start, "ms", None, "cold"),
        Row("lsp --no-daemon, didOpen -> first publish", first, "ms", None, "cold"),
        Row("lsp --no-daemon, resident memory", memory, "MiB", None, ""),
    ]


def typing(environ: dict[str, str], text: str, daemon_pid: int) -> list[Row]:
    """What an editor feels; the session runs in the daemon."""
    session = editor.Editor([SCRIPT, "lsp"], environ)
    try:
        session.initialize()
        begin = time.perf_counter()
        session.open(text)
        first = (time.perf_counter() - begin) * 1000
        # The host's facts arrive once and make a publication of their own.
        time.sleep(1.0)
        before = cpu_seconds(daemon_pid)
        seconds = editor.typing_latencies(session, text, 100)
        cpu = per_change(before, cpu_seconds(daemon_pid), len(seconds))
        count, last = editor.burst(session, text)
        memory = resident(session.process.pid)
    finally:
        session.close()
    detail = f"{len(text.splitlines())} lines, all rules"
    return [
        Row("lsp, didOpen -> first publish", first, "ms", None, detail),
        *spread("lsp, change -> publish", seconds, 5, 10),
        Row("lsp, processor time of a change", cpu, "ms", None, "whatever else the machine does"),
        Row("lsp, publishes for 30 keys in 0.6 s", count, "", 12, "20 ms apart"),
        Row("lsp, last key -> last publish", last, "ms", 100, ""),
        Row("lsp, resident memory", memory, "MiB", None, "the pipe"),
    ]


def per_change(before: float | None, after: float | None, changes: int) -> float | None:
    return None if before is None or after is None else (after - before) * 1000 / changes


if __name__ == "__main__":
    sys.exit(main())
