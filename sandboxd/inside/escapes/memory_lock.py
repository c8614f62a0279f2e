"""Lock memory beyond the limit, which is lowered to nothing first: locked memory is never swapped."""

from __future__ import annotations

import ctypes
import os
import resource
from typing import Any

TITLE = "lock memory beyond the limit"
JUDGE = "surface"
EXPECTED = {"runc": "no IPC_LOCK", "runsc": "gVisor's own"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    page = ctypes.create_string_buffer(4096)
    if libc.mlock(page, ctypes.c_size_t(4096)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return {"detail": "a page can be locked under a limit of none"}
