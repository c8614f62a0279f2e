"""What a process that `exec` starts sees of itself, by the image's own `sh` and `cat`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.engine.client import Exec
from sandboxd.engine.execute import run_quietly

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine


class Inside(NamedTuple):
    """What a process that `exec` starts sees of itself."""

    boot_id: str
    status: dict[str, str]
    mounts: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]
    """Mount point, its options, the file system's options."""
    label: str = ""
    """The security module's word for the process, '' when there is none."""
    routes: tuple[str, ...] = ()
    """Networks beyond the loopback that can be reached, as `interface destination`; destination 0 is everywhere."""
    user_map: tuple[str, ...] = ()
    processes: str = ""
    """The user's limit of processes: a number, ``unlimited``, or '' where it cannot be asked."""


_SEPARATOR = "-- sandboxd --"
_LOOKS = (
    "cat /proc/sys/kernel/random/boot_id",
    "cat /proc/self/status",
    "cat /proc/self/mountinfo",
    "cat /proc/self/attr/current 2>/dev/null",
    "cat /proc/net/route 2>/dev/null",
    "cat /proc/self/uid_map 2>/dev/null",
    "ulimit -u 2>/dev/null",
    "true",
)
_SCRIPT = f"; echo '{_SEPARATOR}'; ".join(_LOOKS)


def boot_id() -> str:
    """The host's, '' where it is hidden."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    except OSError:
        return ""


def look(engine: Engine, container: str) -> Inside | None:
    """Look from inside; None when the image has nothing to look with."""
    code, output = run_quietly(engine, container, Exec(["sh", "-c", _SCRIPT]))
    return parse(output.decode("utf-8", "replace")) if code == 0 else None


def parse(text: str) -> Inside | None:
    """The output of the script that looks, None when it is not whole."""
    parts = text.split(_SEPARATOR)
    if len(parts) != len(_LOOKS):
        return None
    status = {}
    for line in parts[1].splitlines():
        name, separator, value = line.partition(":")
        if separator:
            status[name.strip()] = value.strip()
    mounts = []
    for line in parts[2].splitlines():
        fields = line.split()
        if "-" in fields and len(fields) > fields.index("-") + 3:
            super_options = fields[fields.index("-") + 3]
            point = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), fields[4])
            mounts.append((point, tuple(fields[5].split(",")), tuple(super_options.split(","))))
    routes = [line.split() for line in parts[4].strip().splitlines()[1:]]
    return Inside(
        parts[0].strip(),
        status,
        tuple(mounts),
        parts[3].strip("\0\n "),
        tuple(
            f"{fields[0]} {fields[1]}" for fields in routes if len(fields) > 1 and fields[0] != "lo"
        ),
        tuple(parts[5].split()),
        parts[6].strip(),
    )
