"""Make a BPF map: the verifier of BPF programs has been a steady source of kernel exploits."""

from __future__ import annotations

import ctypes
from typing import Any

from sandboxd.inside.escapes._kernel import call

TITLE = "use bpf(2)"
JUDGE = "surface"
EXPECTED = {"runc": "filtered (seccomp)", "runsc": "not implemented"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    array_map = (ctypes.c_uint * 18)(2, 4, 4, 1)  # type, key size, value size, entries
    call("bpf", 0, array_map, ctypes.sizeof(array_map))
    return {"detail": "a BPF map can be made"}
