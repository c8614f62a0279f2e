"""Shared by the attempts that are about a Pod of Kubernetes."""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections.abc import Iterable
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable

NETWORK_REMEDY = "the cluster's network lets it through: use one that enforces NetworkPolicies"

_SECONDS = 2.0


def first_reached(places: Iterable[Any], none: str) -> dict[str, Any]:
    """The first of some addresses and ports that takes a connection; all are dialled at once.

    A connection is opened and closed; nothing is asked.

    :param none: why there is nothing to try, where `places` is empty
    :raises OSError: none takes one
    :raises NotApplicable: there is none
    """
    waiting = {}
    last: OSError = TimeoutError("no answer")
    try:
        for address, port in places:
            connection = socket.socket()
            connection.setblocking(False)
            waiting[connection] = f"{address} port {port}"
            number = connection.connect_ex((address, int(port)))
            if number not in (0, errno.EINPROGRESS):
                last = OSError(number, os.strerror(number))
        if not waiting:
            raise NotApplicable(none)
        end = time.monotonic() + _SECONDS
        while waiting and time.monotonic() < end:
            left = max(0, end - time.monotonic())
            for connection in select.select([], list(waiting), [], left)[1]:
                place = waiting.pop(connection)
                with connection:
                    number = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    try:
                        connection.getpeername()
                    except OSError as error:
                        last = OSError(number, os.strerror(number)) if number else error
                        continue
                    return {"detail": f"{place} takes a connection"}
        raise last
    finally:
        for connection in waiting:
            connection.close()
