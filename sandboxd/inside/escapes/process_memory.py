"""Read another process's memory by process_vm_readv(2). Here its own."""

from __future__ import annotations

import ctypes
import os
from typing import Any

from sandboxd.inside.escapes._kernel import call

TITLE = "read a process's memory (process_vm_readv)"
JUDGE = "surface"
EXPECTED = {"runc": "filtered (seccomp) where no debugger is wanted", "runsc": "gVisor's own"}
DECLARED = {
    "dev": "debuggers need it",
    "trusted": "debuggers need it",
}


class _Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    source, target = ctypes.create_string_buffer(8), ctypes.create_string_buffer(8)
    local = _Piece(ctypes.addressof(target), 8)
    remote = _Piece(ctypes.addressof(source), 8)
    call("process_vm_readv", os.getpid(), ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)
    return {"detail": "process_vm_readv works"}
