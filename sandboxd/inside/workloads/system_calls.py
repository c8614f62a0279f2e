"""Calls to the kernel that do nothing: the price of asking."""

from __future__ import annotations

import os

TITLE = "system calls"
UNIT = "1,000 calls"


def prepare(folder: str) -> None:
    """Nothing to prepare."""


def once(folder: str) -> None:
    for _ in range(1000):
        os.getppid()
