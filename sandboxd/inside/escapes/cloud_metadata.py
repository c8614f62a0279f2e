"""Reach the cloud's metadata service, which hands out the machine's credentials (Capital One, 2019).

A connection is opened; nothing is asked.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from typing import Any

from sandboxd.inside.escapes import _network

TITLE = "reach the cloud metadata service"
JUDGE = "open"
GROUP = _network.EGRESS
WAITS = True
EXPECTED = {"runc": "no route", "runsc": "no route"}
DECLARED = _network.OPEN

_ADDRESSES = ("169.254.169.254", "169.254.170.2", "100.100.100.200")
_SECONDS = 0.5


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    waiting = {}
    last: OSError = TimeoutError("no answer")
    try:
        for address in _ADDRESSES:
            connection = socket.socket()
            connection.setblocking(False)
            waiting[connection] = address
            number = connection.connect_ex((address, 80))
            if number not in (0, errno.EINPROGRESS):
                last = OSError(number, os.strerror(number))
        end = time.monotonic() + _SECONDS
        open_ones = list(waiting)
        while open_ones and time.monotonic() < end:
            ready = select.select([], open_ones, [], max(0, end - time.monotonic()))[1]
            for connection in ready:
                open_ones.remove(connection)
                try:
                    connection.getpeername()
                    return {"detail": f"{waiting[connection]} answers"}
                except OSError:
                    number = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if number:
                        last = OSError(number, os.strerror(number))
    finally:
        for connection in waiting:
            connection.close()
    raise last
