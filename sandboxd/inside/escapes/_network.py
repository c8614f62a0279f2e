"""Dialling the listeners that `verify` opened on the host; their banner is the proof."""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections.abc import Iterable
from typing import Any

EGRESS = "egress"
"""The group of attempts to get out of the sandbox by its network."""

OPEN = {
    "dev": "network: open where no gateway is made for it",
    "trusted": "network: open",
    "seed-baseline": "network: open (the guide's baseline filters nothing)",
}
"""Profiles whose network is open by itself; nothing of it counts for a sandbox behind a gateway."""

SECONDS = 0.7


def dial(addresses: Iterable[str], port: int) -> dict[str, Any]:
    """The banner of the first address that answers.

    :raises OSError: none answers
    """
    last = OSError("no address to try")
    for address in addresses:
        try:
            with socket.create_connection((address, port), timeout=SECONDS) as connection:
                return {
                    "token": connection.recv(256).decode("utf-8", "replace"),
                    "detail": f"{address} answers",
                }
        except OSError as error:
            last = error
    raise last


def dial_all(targets: Iterable[Any]) -> dict[str, Any]:
    """The banner of the first address and port that answers; all are dialled at once.

    :raises OSError: none answers
    """
    waiting = {}
    last: OSError = TimeoutError("no answer")
    try:
        for address, port in targets:
            connection = socket.socket()
            connection.setblocking(False)
            waiting[connection] = address
            number = connection.connect_ex((address, port))
            if number not in (0, errno.EINPROGRESS):
                del waiting[connection]
                connection.close()
                last = OSError(number, os.strerror(number))
        end = time.monotonic() + SECONDS
        while waiting:
            ready = select.select(list(waiting), [], [], max(0, end - time.monotonic()))[0]
            if not ready:
                raise TimeoutError("no answer")
            for connection in ready:
                address = waiting.pop(connection)
                with connection:
                    try:
                        banner = connection.recv(256)
                    except OSError as error:
                        last = error
                        continue
                return {
                    "token": banner.decode("utf-8", "replace"),
                    "detail": f"{address} answers",
                }
        raise last
    finally:
        for connection in waiting:
            connection.close()
