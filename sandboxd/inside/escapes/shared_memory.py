"""Make System V shared memory: in the host's namespace it is open to databases and desktops there.

A segment of its own is made and removed.
"""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes._kernel import call

TITLE = "use the host's shared memory"
JUDGE = "namespace"
NAMESPACE = "ipc"
EXPECTED = {"runc": "an ipc namespace of its own", "runsc": "gVisor's own"}

_PRIVATE, _CREATE, _REMOVE = 0, 0o1600, 0


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    segment = call("shmget", _PRIVATE, 4096, _CREATE)
    call("shmctl", segment, _REMOVE, None)
    return {"detail": "a shared segment can be made"}
