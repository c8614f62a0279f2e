#!/usr/bin/env python3
"""Measure what users feel, side by side with the bare interpreter, against the budgets.

    benchmarks/run.py [--rounds N] [--strict] [--json]

Processes are started in turn, so that a busy machine slows all alike: read the ratios. Nothing
of the user's is touched: home, runtime folder and state are temporary, no engine is used.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

import editor

PYTHON = sys.executable
SCRIPT = str(Path(sys.executable).parent / "sandboxd")
MODULE = [PYTHON, "-m", "sandboxd"]


class Row(NamedTuple):
    """A line of the table: `budget` is the highest value that passes, None for a mere fact."""

    what: str
    value: float | None
    unit: str
    budget: float | None
    detail: str

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        if self.budget is None:
            return ""
        return "ok" if self.value <= self.budget else "OVER"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=40, help="starts of each process")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a budget is not kept")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sbx-bench-") as folder:
        environ = user(Path(folder))
        rows = measure(Path(folder), environ, max(args.rounds, 3))
    print(as_json(rows) if args.json else table(rows))
    over = [row for row in rows if row.verdict in ("OVER", "not measured")]
    return 1 if over and args.strict else 0


def user(home: Path) -> dict[str, str]:
    """The environment of a user without an engine and without anything of ours."""
    (home / "run").mkdir(mode=0o700)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "DOCKER_HOST": f"unix://{home}/no-engine.sock",
    }


def measure(home: Path, environ: dict[str, str], rounds: int) -> list[Row]:
    project = home / "app"
    (project / ".devcontainer").mkdir(parents=True)
    weak = home / "weak" / ".devcontainer" / "devcontainer.json"
    weak.parent.mkdir(parents=True)
    # The median real one has 1,300 bytes.
    weak.write_text(sample(45))
    (project / "sandboxd.toml").write_text('profile = "dev"\nimage = "x"\n')
    with daemon(project, environ) as pid:
        rows = processes(environ, project, weak, rounds)
        rows += saves(project, 40)
        rows += attaching(environ, rounds)
        rows += typing(environ, sample(200), pid)
        rows += many_editors(environ, pid)
    return rows + alone(environ, sample(200))


def processes(environ: dict[str, str], cwd: Path, weak: Path, rounds: int) -> list[Row]:
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
        unit, budget = ("ms of processor", 60.0) if is_check else ("x pass", 1.6)
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


def answers(command: list[str], environ: dict[str, str], cwd: Path) -> bool:
    """Whether the command does its work: 0, or 1 for findings."""
    result = subprocess.run(command, env=environ, cwd=cwd, capture_output=True, timeout=60)
    return result.returncode in (0, 1)


def seconds(command: list[str], environ: dict[str, str], cwd: Path) -> float:
    # No timeout: waiting with one sleeps up to 50 ms at a time.
    begin = time.perf_counter()
    subprocess.run(command, env=environ, cwd=cwd, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def processor_ms(command: list[str], environ: dict[str, str], cwd: Path) -> float:
    """Milliseconds of processor time of one process, of its own and of the system for it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environ, cwd=cwd, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used * 1000


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
        time.sleep(0.1)
        before = generated.stat().st_ino
        new = project / "new"
        new.write_text(f'profile = "dev"\nimage = "i{number}"\n')
        begin = time.perf_counter()
        new.rename(project / "sandboxd.toml")
        while generated.stat().st_ino == before:
            if time.perf_counter() - begin > 10:
                return [Row("save -> regenerated, p50", None, "ms", 20, "nothing was written")]
            time.sleep(0.0005)
        seconds.append((time.perf_counter() - begin) * 1000)
    return spread("save -> regenerated", seconds, 20, 60)


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
    before = resident(pid)
    sessions = [editor.Editor([SCRIPT, "lsp"], environ) for _ in range(count)]
    try:
        for session in sessions:
            session.initialize()
            session.open(sample(200))
        after = resident(pid)
    finally:
        for session in sessions:
            session.close()
    return [
        Row("daemon, resident memory", before, "MiB", 60, "one project, one editor"),
        Row(f"daemon, resident memory, {count} editors", after, "MiB", 60, ""),
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
        *spread("lsp, change -> publish", seconds, 4, 10),
        Row("lsp, processor time of a change", cpu, "ms", None, "whatever else the machine does"),
        Row("lsp, publishes for 30 keys in 0.6 s", count, "", 12, "20 ms apart"),
        Row("lsp, last key -> last publish", last, "ms", 100, ""),
        Row("lsp, resident memory", memory, "MiB", None, "the pipe"),
    ]


def spread(what: str, seconds: list[float], p50: float, p95: float) -> list[Row]:
    ordered = sorted(seconds)
    high = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return [
        Row(f"{what}, p50", statistics.median(ordered), "ms", p50, f"of {len(ordered)}"),
        Row(f"{what}, p95", high, "ms", p95, f"min {ordered[0]:.1f}, max {ordered[-1]:.1f}"),
    ]


def cpu_seconds(pid: int) -> float | None:
    """Processor time that a process has used, where the system tells."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def per_change(before: float | None, after: float | None, changes: int) -> float | None:
    return None if before is None or after is None else (after - before) * 1000 / changes


def resident(pid: int) -> float | None:
    """Resident memory in MiB, where the system tells."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def sample(lines: int) -> str:
    """A devcontainer.json of about `lines` lines with a weak setting in several places."""
    extensions = "\n".join(f'        "publisher.extension{n}", // why' for n in range(lines - 22))
    return f"""{{
  // A devcontainer.json as they are found.
  "name": "benchmark",
  "image": "mcr.microsoft.com/devcontainers/base:bookworm",
  "privileged": true,
  "capAdd": ["SYS_ADMIN", "SYS_PTRACE"],
  "securityOpt": ["seccomp=unconfined", "apparmor=unconfined"],
  "runArgs": ["--network=host", "--pid", "host", "-v", "/:/host"],
  "mounts": [
    "source=/var/run/docker.sock,target=/var/run/docker.sock,type=bind",
    "source=${{localEnv:HOME}}/.ssh,target=/root/.ssh,type=bind"
  ],
  "customizations": {{
    "vscode": {{
      "extensions": [
{extensions}
      ]
    }}
  }},
  "postCreateCommand": "make"
}}
"""


def table(rows: list[Row]) -> str:
    cells = [("measured", "value", "budget", "verdict", "")]
    for row in rows:
        value = "-" if row.value is None else f"{row.value:.2f} {row.unit}".strip()
        budget = "" if row.budget is None else f"<= {row.budget:g} {row.unit}".strip()
        cells.append((row.what, value, budget, row.verdict, row.detail))
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    return "\n".join(
        "  ".join(
            [*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[4]]
        ).rstrip()
        for line in cells
    )


def as_json(rows: list[Row]) -> str:
    return json.dumps([{**row._asdict(), "verdict": row.verdict} for row in rows], indent=1)


if __name__ == "__main__":
    sys.exit(main())
