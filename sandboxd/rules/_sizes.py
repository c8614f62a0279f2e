"""Sizes as docker writes them."""

from __future__ import annotations

import re

_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


def size(text: str) -> int | None:
    """The number of bytes in ``512m``, ``2g`` or ``2GiB``; None for anything else."""
    match = re.fullmatch(r"(-?\d{1,15}(?:\.\d{1,6})?)\s*([kmgt]?)i?b?", text.strip().lower())
    return int(float(match[1]) * _UNITS[match[2]]) if match else None
