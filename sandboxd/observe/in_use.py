"""Whether a file is mounted by itself in some process's view, as a sandbox has what is shut inside.

Such a file must not be replaced: its mount would go. Who writes it writes into it.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import NamedTuple

from sandboxd.files import write_atomic, write_into
from sandboxd.observe import mount_table


class MountedFiles(NamedTuple):
    """What the processes of this host have mounted, at one moment."""

    ours: mount_table.Table
    places: frozenset[mount_table.Mounted]

    def has(self, path: str) -> bool:
        """Whether a process has a mount of exactly the file at `path`, which is absolute."""
        folder, name = os.path.split(path)
        place = mount_table.place_of(os.path.join(os.path.realpath(folder), name), self.ours)
        return place in self.places


def mounted_files(root: str = "/proc") -> MountedFiles:
    """The files that are mounted now; none where that cannot be seen: on another system than Linux, and for an engine
    in a virtual machine.

    :param root: the path of the host's /proc
    """
    try:
        ours = mount_table.of_process("self", root)
        pids = [entry for entry in os.listdir(root) if entry.isdecimal()]
    except OSError:
        return MountedFiles({}, frozenset())
    texts: set[str] = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            texts.add(mount_table.text_of_process(pid, root))
    # Parsed once for each namespace: most processes of a machine are in the same one.
    places = (place for text in texts for place in mount_table.parse(text).values())
    return MountedFiles(ours, frozenset(places))


def write(path: str, data: bytes) -> None:
    """Write a file that exists, its mode kept: into it where it is mounted, else in one step in its place.

    :raises EnvironmentFailure: no space, no permission, or it is no regular file
    :raises OSError: it is not there
    """
    if mounted_files().has(path):
        write_into(path, data)
    else:
        write_atomic(path, data, stat.S_IMODE(os.stat(path).st_mode))
