"""Whether some process has a mount of exactly one file, as sandboxes have of files that are read-only inside.

Such a file must not be replaced, because its mount would be lost; it has to be overwritten in place.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import NamedTuple

from sandboxd.files import write_atomic, write_into
from sandboxd.observe import mount_table


class MountedFiles(NamedTuple):
    """The mount tables of all processes of this host at one moment."""

    ours: mount_table.Table
    places: frozenset[mount_table.Mounted]

    def has(self, path: str) -> bool:
        """Whether a process has a mount of exactly the file at `path`, an absolute path."""
        folder, name = os.path.split(path)
        place = mount_table.place_of(os.path.join(os.path.realpath(folder), name), self.ours)
        return place in self.places


def mounted_files(root: str = "/proc") -> MountedFiles:
    """The mounts of all processes; none if they cannot be seen: on other systems than Linux, and with an engine in a
    virtual machine.

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
    """Overwrite an existing file and keep its mode: in place if some process has it mounted, otherwise atomically by
    replacement.

    :raises EnvironmentFailure: there is no space or no permission, or it is not a regular file
    :raises OSError: it does not exist
    """
    if mounted_files().has(path):
        write_into(path, data)
    else:
        write_atomic(path, data, stat.S_IMODE(os.stat(path).st_mode))
