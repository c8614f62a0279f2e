"""One process of a sandbox, parsed from files of /proc."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Process(NamedTuple):
    """One process. A text is '' and a tuple is () if it could not be read."""

    boot_id: str
    status: Mapping[str, str]
    mounts: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]
    """For each mount: its mount point, its options, and the file system's options. Of two at one point the last hides
    the other.
    """
    label: str = ""
    """The label that the kernel's security module (AppArmor or SELinux) shows for the process; '' for none."""
    routes: tuple[str, ...] = ()
    """Networks other than the loopback that can be reached, as `interface destination`; destination 0 means everywhere.
    """
    user_map: tuple[str, ...] = ()
    processes: str = ""
    """The limit on the user's processes: a number or ``unlimited``; '' if it could not be read."""

    @property
    def user(self) -> str:
        """The effective user id; '' if it could not be read."""
        words = self.status.get("Uid", "").split()
        return words[1] if len(words) > 1 else ""


FILES = {
    "boot_id": "/proc/sys/kernel/random/boot_id",
    "status": "/proc/{pid}/status",
    "mounts": "/proc/{pid}/mountinfo",
    "label": "/proc/{pid}/attr/current",
    "routes": "/proc/{pid}/net/route",
    "user_map": "/proc/{pid}/uid_map",
    "limits": "/proc/{pid}/limits",
}
"""The files to read, by the names that `of_files` uses."""

# Without these nothing can be said of it.
_NEEDED = ("status", "mounts")


def of_files(files: Mapping[str, str]) -> Process | None:
    """The process described by the contents of its `FILES`; None if an essential file is missing."""
    if not all(files.get(name) for name in _NEEDED):
        return None
    limit = re.search(r"^Max processes\s+(\S+)", files.get("limits", ""), re.MULTILINE)
    return Process(
        files.get("boot_id", "").strip(),
        _status(files["status"]),
        _mounts(files["mounts"]),
        files.get("label", "").strip("\0\n "),
        _routes(files.get("routes", "")),
        tuple(files.get("user_map", "").split()),
        limit[1] if limit else "",
    )


def _status(text: str) -> dict[str, str]:
    lines = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, separator, value in lines if separator}


def _mounts(text: str) -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    mounts = []
    for line in text.splitlines():
        fields = line.split()
        if "-" in fields and len(fields) > fields.index("-") + 3:
            super_options = fields[fields.index("-") + 3]
            point = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), fields[4])
            mounts.append((point, tuple(fields[5].split(",")), tuple(super_options.split(","))))
    return tuple(mounts)


def _routes(text: str) -> tuple[str, ...]:
    lines = [line.split() for line in text.strip().splitlines()[1:]]
    return tuple(f"{f[0]} {f[1]}" for f in lines if len(f) > 1 and f[0] != "lo")
