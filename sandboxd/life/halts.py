"""Keeps a halted sandbox halted, and halts one whose mounts were lost while nobody watched."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from sandboxd.engine import failures
from sandboxd.halt import entries, guard, record
from sandboxd.model.labels import MADE_BY, PROJECT, UP

if TYPE_CHECKING:
    from sandboxd.engine.answers import Inspected
    from sandboxd.engine.client import Engine, Summary
    from sandboxd.halt.record import Halt


def is_halted(engine: Engine, container: Summary) -> bool:
    """Whether a container that does not run is halted, or lost some of its mounts: nothing may run in it any more.

    :raises EnvironmentFailure: it is not known whether it is halted
    """
    if container.state not in ("paused", "exited"):
        return False
    sandbox = container.labels.get(PROJECT) or ""
    if record.open_halt(os.environ, sandbox, container.id) is not None:
        return True
    if container.state == "exited":
        # Its mounts are made anew when it starts.
        return False
    try:
        return guard.has_lost(engine.inspect(container.id))
    except failures.ContainerGone:
        return False


def present(sandbox: str, container: str) -> Halt | None:
    """The halt of a container of a sandbox, by its identity; None where it may go on.

    :param container: its whole id
    :raises EnvironmentFailure: it is not known whether it is halted
    """
    return record.open_halt(os.environ, sandbox, container)


def refuse(engine: Engine, container: Summary, inspected: Inspected | None = None) -> None:
    """Refuse to work in a sandbox that is halted, and halt it first if it runs without some of its mounts.

    :param inspected: the engine's description of it, where that is known
    :raises Halted: it is halted
    :raises EnvironmentFailure: it is not known whether it is, or it cannot be halted
    """
    if container.state not in ("running", "paused", "exited"):
        return
    is_ours = container.labels.get(MADE_BY) == UP
    halt = record.open_halt(os.environ, container.labels.get(PROJECT) or "", container.id)
    problem = ""
    if container.state == "exited":
        if halt is not None:
            raise record.halted(halt, by_editor=not is_ours)
        return
    try:
        inspected = inspected or engine.inspect(container.id)
    except failures.ContainerGone:
        return
    if halt is None or not inspected["State"].get("Paused"):
        # Also one that somebody resumed: only what it lost counts, not who did that.
        halt = guard.compare(engine, inspected, os.environ)
        problem = entries.halted(os.environ, halt) if halt is not None else ""
    if halt is not None:
        raise record.halted(halt, by_editor=not is_ours, problem=problem)


def end(container: Summary, sandbox: str) -> str:
    """Note that a halted container was removed at the user's word; returns '', or why that is not in the audit record."""
    if record.open_halt(os.environ, sandbox, container.id) is None:
        return ""
    with record.changing(os.environ, sandbox):
        halt = record.open_halt(os.environ, sandbox, container.id)
        # Its owner tells it a moment later, with all that belongs to it.
        problem = entries.halted(os.environ, halt) if halt is not None else ""
        halt = record.end(os.environ, sandbox, container.id, record.Ended.REMADE, time.time())
        return problem or (entries.ended(os.environ, halt) if halt is not None else "")
