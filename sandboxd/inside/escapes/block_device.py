"""Read a disk of the host directly, past every file permission (`--privileged`, `--device`)."""

from __future__ import annotations

import os
import stat
from typing import Any

from sandboxd.inside.escapes._kernel import scratch_folder

TITLE = "read a block device of the host"
JUDGE = "kernel"
EXPECTED = {"runc": "no device, no MKNOD", "runsc": "no device"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    last = OSError("no block device")
    for name in sorted(os.listdir("/dev")):
        path = "/dev/" + name
        try:
            if stat.S_ISBLK(os.stat(path).st_mode) and _first_bytes(path):
                return {"detail": f"{path} can be read"}
        except OSError as error:
            last = error
    folder = scratch_folder()
    try:
        for number in os.listdir("/sys/dev/block"):
            major, minor = number.split(":")
            node = folder + "/disk"
            try:
                os.mknod(node, stat.S_IFBLK | 0o600, os.makedev(int(major), int(minor)))
                if _first_bytes(node):
                    return {"detail": f"block device {number} can be read"}
            except OSError as error:
                last = error
            finally:
                if os.path.lexists(node):
                    os.unlink(node)
    finally:
        os.rmdir(folder)
    raise last


def _first_bytes(path: str) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return len(os.read(descriptor, 512))
    finally:
        os.close(descriptor)
