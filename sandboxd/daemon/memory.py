"""Keeps this process's memory small: has glibc return what it would keep."""

from __future__ import annotations

import ctypes
import sys

_M_ARENA_MAX = -8


def keep_together() -> None:
    """Make all threads share one heap, since separate heaps never return their peak memory."""
    if _LIBC is not None:
        _LIBC.mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Return free memory to the system, for example after a large file was parsed."""
    if _LIBC is not None:
        _LIBC.malloc_trim(0)


def _libc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None


_LIBC = _libc()
