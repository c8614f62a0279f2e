"""Processes of the host behind one container: its shim, and gVisor's own."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
from collections.abc import Iterator

_GVISOR = ("runsc", "runsc-gofer", "runsc-sandbox")
_SHIM = "containerd-shim"


def of_gvisor(container: str) -> Iterator[int]:
    """The pids of a sandbox and its gofer, found by the container's id on their command lines."""
    for pid, name, words in _processes():
        if name in _GVISOR and any(container in word for word in words):
            yield pid


def shims(container: str) -> Iterator[int]:
    """The pids of the process between engine and runtime, found by the container's whole id behind `-id`."""
    for pid, name, words in _processes():
        if name.startswith(_SHIM) and ("-id", container) in itertools.pairwise(words):
            yield pid


def end(container: str) -> tuple[list[int], list[int]]:
    """Kill all of them; returns the pids that were killed, and those of other users.

    Without its shim the engine takes the container for ended, whatever it hung on.

    :param container: its whole id
    """
    ended, not_permitted = [], []
    for pid in (*of_gvisor(container), *shims(container)):
        try:
            os.kill(pid, signal.SIGKILL)
            ended.append(pid)
        except ProcessLookupError:
            continue
        except PermissionError:
            not_permitted.append(pid)
    return ended, not_permitted


def _processes() -> Iterator[tuple[int, str, list[str]]]:
    """Pid, name of the program and its arguments."""
    for entry in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError), open(f"/proc/{entry}/cmdline", "rb") as file:
            words = file.read(65536).decode("utf-8", "replace").split("\0")
            yield int(entry), os.path.basename(words[0]), words[1:]
