"""Whether a file is mounted by itself in some process's view, as a sandbox has what is shut inside.

Such a file must not be replaced: its mount would go. Who writes it writes into it.
"""

from __future__ import annotations

import contextlib
import os
import stat

from sandboxd.files import write_atomic, write_into
from sandboxd.observe import mount_table


def is_mounted(path: str, root: str = "/proc") -> bool:
    """Whether a process of this host has a mount of exactly the file at `path`.

    False also where that cannot be seen: on another system than Linux, and for an engine in a virtual machine.

    :param path: absolute
    :param root: the path of the host's /proc
    """
    folder, name = os.path.split(path)
    try:
        ours = mount_table.of_process("self", root)
        place = mount_table.place_of(os.path.join(os.path.realpath(folder), name), ours)
        pids = [entry for entry in os.listdir(root) if entry.isdecimal()]
    except OSError:
        return False
    texts: set[str] = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            texts.add(mount_table.text_of_process(pid, root))
    # Parsed once for each namespace: most processes of a machine are in the same one.
    return any(place in mount_table.parse(text).values() for text in texts)


def write(path: str, data: bytes) -> None:
    """Write a file that exists, its mode kept: into it where it is mounted, else in one step in its place.

    :raises EnvironmentFailure: no space, no permission, or it is no regular file
    :raises OSError: it is not there
    """
    if is_mounted(path):
        write_into(path, data)
    else:
        write_atomic(path, data, stat.S_IMODE(os.stat(path).st_mode))
