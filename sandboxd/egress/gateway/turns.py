"""Bounds what connections take of one turn of the event loop, so that commands from the host are read in each.

A read or a write that need not wait gives no turn to anybody else: a client that always has data ready, in pieces that
take long to parse, would keep a policy from being taken up for as long as it likes.
"""

from __future__ import annotations

import asyncio

TURN_SECONDS = 0.05


class Turns:
    """The turns of the running event loop. To be used in its thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ends = 0.0
        """When the present turn has taken its time, by the loop's clock; 0 as long as nobody has asked in it."""

    def is_over(self) -> bool:
        """Whether the present turn has taken its time."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._ends = loop, 0.0
        if not self._ends:
            self._ends = loop.time() + TURN_SECONDS
            loop.call_soon(self._begin)
        return loop.time() >= self._ends

    async def keep(self) -> None:
        """Wait for the next turn where the present one is over; to be called before each piece of work."""
        while self.is_over():
            await asyncio.sleep(0)

    def _begin(self) -> None:
        self._ends = 0.0


TURNS = Turns()
