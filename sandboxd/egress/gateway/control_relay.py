"""Joins an end of the gateway's control channel to this process's input and output.

Podman closes a container's standard input for good as soon as one reader of its output leaves (conmon,
`terminate_remote_sock`), so there the host talks to a running gateway by an `exec` of this.
"""

from __future__ import annotations

import os
import select
import socket

ADDRESS = "\0sandboxd-gateway"

_PIECE = 1 << 16


def relay() -> None:
    """Pass standard input to the gateway and its events to standard output, until one of both ends."""
    with socket.socket(socket.AF_UNIX) as gateway:
        gateway.connect(ADDRESS)
        while True:
            ready, _, _ = select.select([0, gateway.fileno()], [], [])
            if 0 in ready:
                data = os.read(0, _PIECE)
                if not data:
                    return
                gateway.sendall(data)
            if gateway.fileno() in ready:
                data = gateway.recv(_PIECE)
                if not data:
                    return
                while data:
                    data = data[os.write(1, data) :]
