"""Share a namespace of the node: `hostNetwork`, `hostPID`, `hostIPC`.

Signs that a process inside can see: the numbers of the kernel's first namespaces, its threads among the processes,
the node's own address or name. https://github.com/torvalds/linux/blob/master/include/uapi/linux/nsfs.h
"""

from __future__ import annotations

import os
import socket
from typing import Any

from sandboxd.inside.escapes._kernel import Unable, read_text

TITLE = "share a namespace of its node"
JUDGE = "open"
CLUSTER = "only"
EXPECTED = {"runc": "namespaces of its own", "runsc": "namespaces of its own"}
REMEDY = "something of the cluster put the Pod into its node's namespaces: `sandboxd drift` names what was changed"

_FIRST = {"ipc": 4026531839, "uts": 4026531838, "pid": 4026531836}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    shared = []
    for name, number in _FIRST.items():
        try:
            if os.readlink(f"/proc/self/ns/{name}") == f"{name}:[{number}]":
                shared.append(f"{name} (the kernel's first)")
        except OSError:
            continue
    if read_text("/proc/2/comm").strip() == "kthreadd":
        shared.append("pid (the kernel's threads are visible)")
    node = facts["node"]
    if node and os.uname().nodename == node:
        shared.append("uts (its name is the node's)")
    addresses = facts["host_addresses"]
    shared += [f"net ({each} is its own)" for each in addresses if _is_own(each)]
    if shared:
        return {"detail": ", ".join(shared)}
    if not addresses:
        raise Unable("the address of its node is not known")
    raise OSError("no sign of one")


def _is_own(address: str) -> bool:
    """Whether an address is one of this network namespace: only such a one can be bound."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
            channel.bind((address, 0))
            return True
    except OSError:
        return False
