"""Dialling the listeners that `verify` opened on the host; their banner is the proof."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any


def dial(addresses: Iterable[str], port: int) -> dict[str, Any]:
    """The banner of the first address that answers.

    :raises OSError: none answers
    """
    last = OSError("no address to try")
    for address in addresses:
        try:
            with socket.create_connection((address, port), timeout=0.7) as connection:
                return {
                    "token": connection.recv(256).decode("utf-8", "replace"),
                    "detail": f"{address} answers",
                }
        except OSError as error:
            last = error
    raise last
