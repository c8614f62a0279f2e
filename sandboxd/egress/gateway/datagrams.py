"""Takes packets from a socket at a bounded pace, and counts those that the kernel had to drop."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any

_AT_ONCE, _PAUSE, _LARGEST = 32, 0.005, 2048
_COUNT_DROPPED = 40  # SO_RXQ_OVFL


class Datagrams:
    """A flood of packets gets a part of the processor, and connections the rest."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        arrived: Callable[[bytes, Any], None],
        lost: Callable[[int], None],
    ) -> None:
        """:param arrived: gets each packet and its sender
        :param lost: gets how many were dropped
        """
        self._loop, self._sock, self._arrived, self._lost = loop, sock, arrived, lost
        self._dropped = 0
        sock.setsockopt(socket.SOL_SOCKET, _COUNT_DROPPED, 1)
        loop.add_reader(sock, self._read)

    def _read(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                data, ancillary, _, sender = self._sock.recvmsg(_LARGEST, 64)
            except OSError:
                return
            for level, kind, value in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, _COUNT_DROPPED):
                    self._count(struct.unpack("=I", value[:4])[0])
            self._arrived(data, sender)
        self._loop.remove_reader(self._sock)
        self._loop.call_later(_PAUSE, lambda: self._loop.add_reader(self._sock, self._read))

    def _count(self, dropped: int) -> None:
        """`dropped` is the number since the socket was made, modulo 2**32."""
        if dropped != self._dropped:
            self._lost((dropped - self._dropped) % 2**32)
            self._dropped = dropped
