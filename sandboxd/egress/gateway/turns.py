"""Bounds what connections take of one turn of the event loop, so that commands from the host are read in each.

A read or a write that need not wait gives no turn to anybody else: a client that always has data ready, in pieces that
take long to parse, would keep a policy from being taken up for as long as it likes. Who waits for a turn has it before
those that came later, so that nobody keeps all others waiting either.
"""

from __future__ import annotations

import asyncio
from collections import deque

TURN_SECONDS = 0.05


class Turns:
    """The turns of the running event loop. To be used in its thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ends = 0.0
        """When the present turn has taken its time, by the loop's clock; 0 as long as nobody has asked in it."""
        self._waiting: deque[object] = deque()
        """Who waits for a turn, in the order in which they came."""

    def is_over(self) -> bool:
        """Whether the present turn has taken its time."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._ends, self._waiting = loop, 0.0, deque()
        if not self._ends:
            self._ends = loop.time() + TURN_SECONDS
            loop.call_soon(self._begin)
        return loop.time() >= self._ends

    async def keep(self) -> None:
        """Wait for the next turn where the present one is over, or others wait; to be called before each piece of work."""
        if not self.is_over() and not self._waiting:
            return
        waiting, ticket = self._waiting, object()
        waiting.append(ticket)
        try:
            while self.is_over() or waiting[0] is not ticket:
                await asyncio.sleep(0)
        finally:
            waiting.remove(ticket)

    def _begin(self) -> None:
        self._ends = 0.0


TURNS = Turns()
