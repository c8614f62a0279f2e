"""The stream of a relay, without an engine."""

from __future__ import annotations

import socket


class Trunk:
    """One end of a pair of sockets, as the stream."""

    has_more = False

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._connection = connection
        self.words = ""
        self.reader = self.writer = connection.fileno()

    def receive(self) -> bytes | None:
        try:
            return self._connection.recv(65536)
        except BlockingIOError:
            return None

    def send(self, data: memoryview) -> int:
        try:
            return self._connection.send(data)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        self._connection.close()
