"""Takes over sockets from a service manager (systemd, launchd): a listening one, and one to report readiness on."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping

_FIRST = 3


def inherited(environ: Mapping[str, str], path: str) -> socket.socket | None:
    """The listening socket at `path` that the service manager passed to this process; None if it passed none."""
    if environ.get("LISTEN_PID") != str(os.getpid()):
        return None
    count = environ.get("LISTEN_FDS", "")
    for descriptor in range(_FIRST, _FIRST + (int(count) if count.isdecimal() else 0)):
        with contextlib.suppress(OSError):
            listener = socket.socket(fileno=os.dup(descriptor))
            if listener.family == socket.AF_UNIX and listener.getsockname() == path:
                os.close(descriptor)
                os.set_inheritable(listener.fileno(), False)
                return listener
            listener.close()
    return None


def notify(environ: Mapping[str, str], state: str) -> None:
    """Report a state (``READY=1``, ``STOPPING=1``) to the service manager, where there is one."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.connect("\0" + address[1:] if address.startswith("@") else address)
        ear.send(state.encode("ascii"))
