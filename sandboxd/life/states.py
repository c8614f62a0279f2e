"""States of a container, as the engine names them, and what they say of the work in it.

Source: the enumeration `ContainerState` of the Engine API (v1.45): created, running, paused,
restarting, removing, exited, dead.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sandboxd.engine import failures

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine, Summary

_WITHOUT_WORK = frozenset({"exited", "created", "dead"})
_SETTLE_SECONDS = 10.0


def holds_work(state: str) -> bool:
    """Whether the memory of a container in `state` may hold work; an unknown state may."""
    return state not in _WITHOUT_WORK


def settle(engine: Engine, container: Summary) -> Summary:
    """Resume a paused container, and wait at most 10 s while it restarts or is being removed.

    :returns: `container` with its state after that; ``removed`` once the engine no longer has it
    """
    if container.state == "paused":
        engine.unpause(container.id)
    deadline = time.monotonic() + _SETTLE_SECONDS
    state = container.state
    while state in ("paused", "restarting", "removing"):
        try:
            state = engine.inspect(container.id)["State"]["Status"]
        except failures.ContainerGone:
            return container._replace(state="removed")
        if time.monotonic() > deadline:
            break
        if state != "running":
            time.sleep(0.1)
    return container._replace(state=state)
