"""Halts of the sandboxes on a workspace, as they are recorded at this moment."""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.errors import EnvironmentFailure
from sandboxd.halt import record
from sandboxd.life import halts
from sandboxd.model.labels import MADE_BY, UP
from sandboxd.status.observe import Sandbox


class Halted(NamedTuple):
    """Why a sandbox is halted, in words, and the one command by which it goes on."""

    why: str
    hint: str


def halted_now(sandbox: str, live: Sandbox | None) -> Halted | None:
    """The halt of the container of a sandbox, by its identity; None where it is not halted, or runs again."""
    if live is None or (live.running and not live.paused):
        return None
    try:
        halt = halts.present(sandbox, live.id)
    except EnvironmentFailure as error:
        return Halted(error.message, error.hint)
    if halt is None:
        return None
    is_editors = live.container is not None and live.container.label(MADE_BY) != UP
    return Halted(record.describe(halt), record.halted(halt, by_editor=is_editors).hint)
