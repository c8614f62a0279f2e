"""Entries of halts in the user's audit record: one for each halt, with all that belongs to it, and one for its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.audit import notes
from sandboxd.halt import record
from sandboxd.model.sandbox_id import name_of, workspace_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.audit.entry import Kind
    from sandboxd.halt.record import Halt


def halted(environ: Mapping[str, str], halt: Halt) -> str:
    """Record that a sandbox was halted, unless that was done; returns '', or for a person why it is not recorded.

    Where somebody else may end the halt meanwhile, the caller holds `record.changing`.

    :raises EnvironmentFailure: it is recorded, and the halt itself cannot say so
    """
    if halt.is_told:
        return ""
    problem = _note(environ, "halt", halt)
    if not problem:
        record.save(environ, halt._replace(is_told=True))
    return problem


def ended(environ: Mapping[str, str], halt: Halt) -> str:
    """Record that the halt of a sandbox has ended, and how; returns as `halted`."""
    how = halt.ended.value if halt.ended is not None else ""
    seconds = round(max(halt.ended_at - halt.at, 0.0))
    return _note(environ, "halt-ended", halt, how=how, after_seconds=seconds)


def _note(environ: Mapping[str, str], kind: Kind, halt: Halt, **facts: object) -> str:
    name = name_of(halt.sandbox)
    outcomes = [entry.outcome for entry in halt.entries if entry.outcome is not None]
    return notes.note(
        environ,
        kind,
        workspace_of(halt.sandbox),
        **({"sandbox": name} if name else {}),
        **facts,
        owner=halt.owner.value,
        reason=halt.reason.value,
        paths=[f"{entry.path}: {entry.what.value}" for entry in halt.entries if entry.what],
        put_aside=[outcome.aside for outcome in outcomes if outcome.aside],
        container=halt.container,
    )
