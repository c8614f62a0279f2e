"""Set the host's clock, which no namespace separates. A tick that no kernel takes is asked for."""

from __future__ import annotations

import ctypes
import errno
import struct
from typing import Any

from sandboxd.inside.escapes._kernel import call

TITLE = "set the host's clock"
JUDGE = "kernel"
EXPECTED = {"runc": "no SYS_TIME, filtered", "runsc": "not implemented"}

_TICK, _TICK_OFFSET = 0x4000, 88


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    request = ctypes.create_string_buffer(208)
    struct.pack_into("I", request, 0, _TICK)
    struct.pack_into("q", request, _TICK_OFFSET, 1)
    try:
        call("adjtimex", request)
    except OSError as error:
        # The right was looked at first.
        if error.errno != errno.EINVAL:
            raise
    return {"detail": "the clock can be set"}
