"""Open device files of the host: virtual machines, network tunnels, file systems in user space.

Opened and closed, and only those whose driver is loaded and that do nothing when opened.
"""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import read_text

TITLE = "open the host's device files"
JUDGE = "kernel"
EXPECTED = {"runc": "no device, device cgroup", "runsc": "gVisor's own"}

_NAMES = ("fuse", "kvm", "net/tun", "vhost-net", "vhost-vsock", "loop-control", "uinput", "cuse")
_MISC = 10


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    loaded = {int(line.split()[0]) for line in read_text("/proc/misc").splitlines()}
    last = OSError("no such device")
    for name in _NAMES:
        path = "/dev/" + name
        try:
            number = os.stat(path).st_rdev
            if os.major(number) == _MISC and os.minor(number) in loaded:
                os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
                return {"detail": f"{path} opens"}
        except OSError as error:
            last = error
    raise last
