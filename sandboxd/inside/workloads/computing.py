"""Computing: no call to the kernel in it."""

from __future__ import annotations

TITLE = "computing"
UNIT = "100,000 additions and a sort"

_NUMBERS = [(number * 7919) % 100_003 for number in range(20_000)]


def prepare(folder: str) -> None:
    """Nothing to prepare."""


def once(folder: str) -> None:
    total = 0
    for number in range(100_000):
        total += number
    sorted(_NUMBERS)
