"""Reads packets from a socket at a limited rate, and counts those that the kernel had to drop."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any

_AT_ONCE, _PAUSE, _LARGEST = 32, 0.005, 2048
# SO_MEMINFO, and where SK_MEMINFO_DROPS is in it. The counter that SO_RXQ_OVFL sends along with each
# packet is not used: on Linux 6.18 with hardened copies to user space (mm/usercopy.c) it ends the
# reader of a packet socket, since packets of local TCP are from a cache that may not be copied from.
_MEMORY_INFO, _DROPS = 55, 8


class Datagrams:
    """Reads packets so that a flood takes a part of the processor and leaves connections the rest."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        arrived: Callable[[bytes, Any], None],
        lost: Callable[[int], None],
    ) -> None:
        """:param arrived: called with each packet and its sender
        :param lost: called with the number of dropped packets
        """
        self._loop, self._sock, self._arrived, self._lost = loop, sock, arrived, lost
        self._dropped = 0
        loop.add_reader(sock, self._read)

    def _read(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                data, sender = self._sock.recvfrom(_LARGEST)
            except OSError:
                return
            self._arrived(data, sender)
        self._loop.remove_reader(self._sock)
        self._loop.call_later(_PAUSE, self._resume)

    def _resume(self) -> None:
        """Count the datagrams that the kernel dropped, and read again: only after so many at once can there have been too many."""
        information = self._sock.getsockopt(socket.SOL_SOCKET, _MEMORY_INFO, 4 * (_DROPS + 1))
        if len(information) == 4 * (_DROPS + 1):
            dropped = struct.unpack_from("=I", information, 4 * _DROPS)[0]
            if dropped != self._dropped:
                self._lost((dropped - self._dropped) % 2**32)
                self._dropped = dropped
        self._loop.add_reader(self._sock, self._read)
