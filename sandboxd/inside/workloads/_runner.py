"""Runs the workloads inside, each for a slice of time, and reports one line for each.

It is not imported but sent as the beginning of a program, and needs nothing of ours.
"""

from __future__ import annotations

import json
import os
import sys
import time
import types
from typing import Any

_LEAST_RUNS = 3


def main(parcel: dict[str, Any]) -> None:
    """Report the milliseconds of one run of each workload: warmed up once, then repeated for its time slice."""
    workspace = parcel["workspace"]
    for name, source in parcel["modules"].items():
        module = types.ModuleType(name)
        exec(compile(source, f"<{name}>", "exec"), module.__dict__)  # noqa: S102 - our own source
        try:
            milliseconds = _measure(module, workspace, parcel["seconds"])
            record = {"name": name, "milliseconds": milliseconds}
        except OSError as error:
            record = {"name": name, "why": error.strerror or str(error)}
        sys.stdout.write(f"{parcel['nonce']} {json.dumps(record)}\n")
        sys.stdout.flush()


def _measure(module: Any, workspace: str, seconds: float) -> float:
    folder = _folder(workspace)
    try:
        module.prepare(folder)
        module.once(folder)
        times: list[float] = []
        end = time.perf_counter() + seconds
        while len(times) < _LEAST_RUNS or time.perf_counter() < end:
            started = time.perf_counter()
            module.once(folder)
            times.append(time.perf_counter() - started)
        times.sort()
        return times[len(times) // 2] * 1000
    finally:
        _remove(folder)


def _folder(workspace: str) -> str:
    """A folder in the workspace; where that is read-only, one wherever there is room."""
    for base in (workspace, "/tmp", "/dev/shm"):  # noqa: S108 - inside, and of this process alone
        folder = os.path.join(base, f".sandboxd-bench-{os.getpid()}")
        try:
            os.mkdir(folder, 0o700)
            return folder
        except OSError:
            continue
    raise OSError(30, "no folder inside can be written")


def _remove(folder: str) -> None:
    for base, folders, files in os.walk(folder, topdown=False):
        for name in files:
            os.unlink(os.path.join(base, name))
        for name in folders:
            os.rmdir(os.path.join(base, name))
    os.rmdir(folder)
