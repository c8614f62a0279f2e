"""Finding and ending processes by what they belong to, never by a broad name."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable

# The programs an engine starts. A client or an editor may have the engine's folder in its
# command line too and must live on.
_ENGINE_PROGRAMS = ("dockerd", "containerd", "docker-proxy", "runc", "runsc", "exe")


def start_time(pid: int) -> str:
    """The kernel's start tick of a process, '' when it is gone; pid and tick name a process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def command_line(pid: int) -> list[str]:
    """The arguments of a process, empty when it is gone."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def of_folder(folder: str) -> list[int]:
    """Engine processes (daemon, shims, runtimes) that name `folder` in their command line."""
    return [pid for pid in _all() if _names(command_line(pid), folder)]


def of_cgroup(name: str) -> list[int]:
    """Processes in the cgroup `/name` or below, in any hierarchy."""
    pids: set[int] = set()
    for folder in cgroup_folders(name):
        for path, _, files in os.walk(folder):
            if "cgroup.procs" in files:
                with contextlib.suppress(OSError), open(f"{path}/cgroup.procs") as file:
                    pids.update(int(line) for line in file)
    return sorted(pids)


def with_home(folder: str, *, below: bool = False) -> list[int]:
    """Processes that were started with `folder`, or a folder below it, as HOME."""
    home = f"HOME={folder}".encode()
    mark = home + b"/"
    return [
        pid
        for pid in _all()
        if any(item.startswith(mark) if below else item == home for item in _environment(pid))
    ]


def cgroup_folders(name: str) -> list[str]:
    """Where the cgroup `/name` appears: one folder under v2, one per controller under v1."""
    root = "/sys/fs/cgroup"
    bases = [root, *(f"{root}/{entry}" for entry in (os.listdir(root) if _is(root) else ()))]
    return [f"{base}/{name}" for base in bases if _is(f"{base}/{name}")]


def remove_cgroups(name: str) -> None:
    """Remove the empty cgroup `/name` and all below it."""
    for folder in cgroup_folders(name):
        for path, _, _ in os.walk(folder, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(path)


def end(pids: Iterable[int], number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to each process that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll `condition` for up to `seconds`; its last answer."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _names(arguments: list[str], folder: str) -> bool:
    if not arguments:
        return False
    program = os.path.basename(arguments[0])
    return program.startswith(_ENGINE_PROGRAMS) and any(
        part == folder or f"{folder}/" in part for part in arguments
    )


def _environment(pid: int) -> list[bytes]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read().split(b"\0")
    except OSError:
        return []


def _all() -> list[int]:
    own = os.getpid()
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != own]


def _is(path: str) -> bool:
    return os.path.isdir(path)
