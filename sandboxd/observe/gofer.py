"""gVisor's gofer: the process on the host that opens files for a sandbox; its mount namespace has the sandbox's mounts.

The sandbox's own kernel has a mount table that the host does not see. It is made from the gofer's mounts, and loses a
mount at the next access after the gofer lost it.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_BYTES = 1 << 16


def pid_of(sentry: int, container: str, root: str = "/proc") -> int:
    """The pid of the gofer of the sandbox whose kernel is the process `sentry`; 0 if none is found.

    Both are children of the program that the engine started, and in the container's control group. Processes in a
    sandbox are not processes of the host, so none of them can be mistaken for it.

    :param container: its full id
    :param root: the path of the host's /proc
    """
    if not container:
        return 0
    for pid in _children(_parent(sentry, root), root):
        words = _read(f"{root}/{pid}/cmdline").split("\0")
        is_gofer = os.path.basename(words[0]).startswith("runsc") and "gofer" in words
        if is_gofer and container in _read(f"{root}/{pid}/cgroup"):
            return pid
    return 0


def _parent(pid: int, root: str) -> int:
    for line in _read(f"{root}/{pid}/status").splitlines():
        name, _, value = line.partition(":")
        if name == "PPid":
            return int(value)
    return 0


def _children(pid: int, root: str) -> Iterator[int]:
    """The children of all threads of a process."""
    threads: list[str] = []
    with contextlib.suppress(OSError):
        threads = os.listdir(f"{root}/{pid}/task") if pid else []
    for thread in threads:
        yield from map(int, _read(f"{root}/{pid}/task/{thread}/children").split())


def _read(path: str) -> str:
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read(_MOST_BYTES).decode("utf-8", "replace")
    return ""
