"""Make a device node and open it: kernel memory or the kernel's log by number."""

from __future__ import annotations

import os
import stat
from typing import Any

from sandboxd.inside.escapes._kernel import scratch_folder

TITLE = "make and open a device node"
JUDGE = "kernel"
EXPECTED = {"runc": "no MKNOD, device cgroup", "runsc": "gVisor's own devices"}

_DEVICES = ((1, 1, "mem"), (1, 11, "kmsg"), (10, 237, "loop-control"))


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    folder = scratch_folder()
    last = OSError("none")
    try:
        for major, minor, name in _DEVICES:
            node = os.path.join(folder, name)
            try:
                os.mknod(node, stat.S_IFCHR | 0o600, os.makedev(major, minor))
                os.close(os.open(node, os.O_RDONLY | os.O_NONBLOCK))
                return {"detail": f"/dev/{name} opens by a new node"}
            except OSError as error:
                last = error
            finally:
                if os.path.lexists(node):
                    os.unlink(node)
    finally:
        os.rmdir(folder)
    raise last
