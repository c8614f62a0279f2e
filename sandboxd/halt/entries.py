"""Entries in the user's audit record about halts: one for each halt with all its paths, and one for its end."""

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
    """Record in the audit record that a sandbox was halted, unless that was done before.

    Where another process may end the halt meanwhile, the caller holds `record.changing`.

    :returns: '', or for a person why it could not be recorded
    :raises EnvironmentFailure: it is in the audit record, but the file of the halt could not be updated
    """
    if halt.is_told:
        return ""
    problem = _note(environ, "halt", halt)
    if not problem:
        record.save(environ, halt._replace(is_told=True))
    return problem


def ended(environ: Mapping[str, str], halt: Halt) -> str:
    """Record in the audit record that a halt has ended, and how.

    :returns: '', or for a person why it could not be recorded
    """
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
