"""The first process of a container, as the host's own /proc shows it: nothing inside can change that.

Under gVisor that process is the sandbox's own kernel, the sentry, and its command line says what it was
really started with.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from sandboxd.observe.process import FILES, Process, of_files

if TYPE_CHECKING:
    from sandboxd.model.engine_answers import Inspected

_MOST_BYTES = 1 << 20


def look(inspected: Inspected, root: str = "/proc") -> Process | None:
    """The container's main process, read from the host's /proc; None if that does not show it.

    :param root: the path of the host's /proc
    """
    pid = pid_of(inspected, root)
    if not pid:
        return None
    files = {
        name: _read(path.format(pid=pid).replace("/proc", root, 1)) for name, path in FILES.items()
    }
    return of_files(files)


def sentry(inspected: Inspected, root: str = "/proc") -> tuple[str, ...]:
    """The flags that a gVisor sandbox runs with; () if they cannot be seen, or it is not a gVisor sandbox."""
    pid = pid_of(inspected, root)
    words = _read(f"{root}/{pid}/cmdline").split("\0") if pid else []
    if not words or not os.path.basename(words[0]).startswith("runsc") or "boot" not in words:
        return ()
    return tuple(words[1 : words.index("boot")])


def pid_of(inspected: Inspected, root: str = "/proc") -> int:
    """The pid that the engine reports; 0 if that is not a process of this container on this machine.

    An engine in a virtual machine, or in a process namespace of its own, numbers processes differently.
    """
    pid = int((inspected.get("State") or {}).get("Pid") or 0)
    return pid if is_of(pid, str(inspected.get("Id") or ""), root) else 0


def is_of(pid: int, container: str, root: str = "/proc") -> bool:
    """Whether `pid` is a process of the container on this machine, by its control group.

    :param container: its full id
    """
    return bool(pid and container) and container in _read(f"{root}/{pid}/cgroup")


def _read(path: str) -> str:
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read(_MOST_BYTES).decode("utf-8", "replace")
    return ""
