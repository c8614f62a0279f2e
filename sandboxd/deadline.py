"""Waiting for something by looking again and again, within a time limit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def looks_within(seconds: float) -> Iterator[float]:
    """Yield before each look how many seconds are left from now on, and at last 0: after the time limit there is
    exactly one more look.

    So that what came while this machine stood still has come in time. The caller pauses between two looks.
    """
    return _looks_until(time.monotonic() + seconds)


def _looks_until(end: float) -> Iterator[float]:
    while (left := end - time.monotonic()) > 0:
        yield left
    yield 0.0
