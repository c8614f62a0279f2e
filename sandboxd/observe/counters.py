"""What the kernel counted of a container's control group: processes that it ended, and processes that it refused."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.observe.host_process import pid_of

if TYPE_CHECKING:
    from sandboxd.model.engine_answers import Inspected

_MOST_BYTES = 1 << 16


class Counters(NamedTuple):
    """How often the kernel ended a process of a container for its memory, and refused it a process or thread."""

    memory_kills: int = 0
    process_refusals: int = 0

    def since(self, before: Counters) -> Counters:
        """What was counted after `before`."""
        return Counters(
            self.memory_kills - before.memory_kills,
            self.process_refusals - before.process_refusals,
        )


def read(
    inspected: Inspected, proc: str = "/proc", groups: str = "/sys/fs/cgroup"
) -> Counters | None:
    """The counters of a running container; None if the kernel of this machine does not show them.

    Sources: `memory.events` and `pids.events` of cgroup-v2.rst; for version 1 `memory.oom_control` (memory.rst) and
    `pids.events` (pids.rst).

    :param proc: the path of the host's /proc
    :param groups: the folder where the control groups are mounted
    """
    pid = pid_of(inspected, proc)
    folders = _folders(_text(f"{proc}/{pid}/cgroup"), groups) if pid else {}
    memory = folders.get("memory", folders.get(""))
    pids = folders.get("pids", folders.get(""))
    if memory is None or pids is None:
        return None
    kills = _number(f"{memory}/memory.events", "oom_kill")
    if kills is None:
        kills = _number(f"{memory}/memory.oom_control", "oom_kill")
    refusals = _number(f"{pids}/pids.events", "max")
    return None if kills is None or refusals is None else Counters(kills, refusals)


def _folders(text: str, groups: str) -> dict[str, str]:
    """The folder of each controller's group by /proc/PID/cgroup; that of version 2 has the name ''."""
    folders = {}
    for line in text.splitlines():
        _, names, path = [*line.split(":", 2), "", ""][:3]
        for name in names.split(","):
            folders[name] = os.path.join(groups, name) + path
    return folders


def _number(path: str, name: str) -> int | None:
    for line in _text(path).splitlines():
        words = line.split()
        if len(words) == 2 and words[0] == name and words[1].isdecimal():
            return int(words[1])
    return None


def _text(path: str) -> str:
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read(_MOST_BYTES).decode("utf-8", "replace")
    return ""
