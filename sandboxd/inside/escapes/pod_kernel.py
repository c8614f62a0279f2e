"""Run on another kernel than gVisor's, though the Pod's RuntimeClass is gVisor's: a class is a name alone.

What the kernel says of itself is looked at: its version, and its log. gVisor's begins with words of its own.
"""

from __future__ import annotations

import ctypes
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable, call, read_text

TITLE = "run on another kernel than the RuntimeClass says"
JUDGE = "open"
CLUSTER = "only"
EXPECTED = {"runc": "no RuntimeClass says gVisor", "runsc": "gVisor's own kernel, by its word"}
REMEDY = "the nodes run something else by that RuntimeClass: ask who manages the cluster, or name another class"

_READ_ALL = 3
_NAMES = ("gvisor", "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016")
_BEGINS = "Starting gVisor"


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if not facts["is_gvisor"]:
        raise NotApplicable("no RuntimeClass of the Pod runs gVisor")
    version = read_text("/proc/version").strip()
    words = []
    if any(name in version for name in _NAMES):
        words.append(f"its version is `{version[:60]}`")
    if _BEGINS in _log():
        words.append(f"its log begins with `{_BEGINS}`")
    if not words:
        return {"detail": f"it calls itself `{version[:60]}`"}
    raise OSError(f"gVisor's, by its own word: {', '.join(words)}")


def _log() -> str:
    buffer = ctypes.create_string_buffer(65536)
    try:
        size = call("syslog", _READ_ALL, buffer, len(buffer))
    except OSError:
        return ""
    return buffer.raw[:size].decode("utf-8", "replace")
