"""Wait for a state: one limit for all tests, which a busy machine does not reach.

A wait that holds costs nothing; one that does not says what was there instead.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds for anything that a test waits for, where no more are said."""

_PAUSE = 0.02


def eventually(
    check: Callable[[], T],
    state: Callable[[], object] | None = None,
    seconds: float = PATIENCE,
) -> T:
    """The first true value of `check`.

    :param state: what the failure shows of the state; by default the last value of `check`
    :raises AssertionError: it was not true within `seconds`
    """
    deadline = time.monotonic() + seconds
    while True:
        # Looked at first: a machine that stood still between the two gets one more look.
        late = time.monotonic() > deadline
        if value := check():
            return value
        assert not late, _message(seconds, value, state)
        time.sleep(_PAUSE)


async def until(
    check: Callable[[], T],
    state: Callable[[], object] | None = None,
    seconds: float = PATIENCE,
) -> T:
    """The same for coroutines: what else the loop has to do goes on meanwhile."""
    deadline = time.monotonic() + seconds
    while True:
        late = time.monotonic() > deadline
        if value := check():
            return value
        assert not late, _message(seconds, value, state)
        await asyncio.sleep(_PAUSE / 4)


def _message(seconds: float, value: object, state: Callable[[], object] | None) -> str:
    return f"not within {seconds:g} s; last: {value if state is None else state()!r}"
