"""Input and output of a program in the sandbox as the stream of a relay. Sent in as it is: standard library only."""

from __future__ import annotations

import os

_SIZE = 256 * 1024


class Pipes:
    """Input and output of this process as one stream."""

    reader = 0
    writer = 1
    has_more = False

    def __init__(self) -> None:
        os.set_blocking(0, False)
        os.set_blocking(1, False)

    def receive(self) -> bytes | None:
        """The bytes that arrived; None if there are none yet, b"" at the end."""
        try:
            return os.read(0, _SIZE)
        except BlockingIOError:
            return None

    def send(self, data: memoryview) -> int:
        """Write a part of `data`; returns its size in bytes."""
        try:
            return os.write(1, data)
        except BlockingIOError:
            return 0
