"""The processes on the host behind one container: its containerd shim, and gVisor's sandbox and gofer."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
from collections.abc import Iterator

_GVISOR = ("runsc", "runsc-gofer", "runsc-sandbox")
_SHIM = "containerd-shim"


def of_gvisor(container: str) -> Iterator[int]:
    """The process ids of gVisor's sandbox and gofer, found by the container's id on their command lines."""
    for pid, name, words in _processes():
        if name in _GVISOR and any(container in word for word in words):
            yield pid


def shims(container: str) -> Iterator[int]:
    """The process ids of the shims of a container, found by the container's full id after `-id` on their command
    lines.
    """
    for pid, name, words in _processes():
        if name.startswith(_SHIM) and ("-id", container) in itertools.pairwise(words):
            yield pid


def end(container: str) -> tuple[list[int], list[int]]:
    """Kill all of these processes; returns the ids of those that were killed, and of those of other users.

    Once its shim is gone, the engine takes the container for ended, even if it hung.

    :param container: its full id
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
