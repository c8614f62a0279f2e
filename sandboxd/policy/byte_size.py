"""Sizes in bytes, as a policy writes them."""

from __future__ import annotations

import re

_SIZE = re.compile(r"([1-9][0-9]{0,5}) ?(MiB|GiB|TiB)")
_BITS = {"MiB": 20, "GiB": 30, "TiB": 40}

EXPECTED = "a size like `20GiB`, in MiB, GiB or TiB"


def size_of(text: object) -> int | None:
    """The number of bytes in a text such as ``20GiB``; None for anything else."""
    match = _SIZE.fullmatch(text) if isinstance(text, str) else None
    return int(match[1]) << _BITS[match[2]] if match is not None else None
