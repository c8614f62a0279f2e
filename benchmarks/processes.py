"""Processes of a user of one's own, what each costs, and what one that goes on uses."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

PYTHON = sys.executable
SCRIPT = str(Path(sys.executable).parent / "sandboxd")
MODULE = [PYTHON, "-m", "sandboxd"]

_IDLE_SECONDS = 20.0


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


def cpu_seconds(pid: int) -> float | None:
    """Processor time that the threads of a process have used, where the system tells.

    Of the scheduler, in nanoseconds: /proc/PID/stat counts in steps of 10 ms, which is 0.05 % of 20 s.
    """
    used = 0
    for threads in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):
            used += int(threads.read_text().split()[0])
    return used / 1e9 or None


def resident(pid: int) -> float | None:
    """Resident memory in MiB, where the system tells."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def idleness(pid: int) -> tuple[float, float]:
    """Percent of a core, and wake-ups a second, while nothing happens."""
    time.sleep(2)
    cpu, switches, begin = cpu_seconds(pid) or 0.0, wakeups(pid), time.monotonic()
    time.sleep(_IDLE_SECONDS)
    took = time.monotonic() - begin
    used = (cpu_seconds(pid) or 0.0) - cpu
    return used * 100 / took, (wakeups(pid) - switches) / took


def wakeups(pid: int) -> int:
    """How often the threads of a process have waited for something and gone on."""
    count = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        with contextlib.suppress(OSError):
            for text in status.read_text().splitlines():
                if text.startswith("voluntary_ctxt_switches:"):
                    count += int(text.split()[1])
    return count


def proportional(pid: int) -> float:
    """Memory in MiB, of what is shared with others its share only; 0 where nobody tells."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(text.split()[1]) for text in lines if text.startswith("Pss:")) / 1024
