"""Finds the lost mounts of one running sandbox at the moment of a command, where no daemon watches, and halts it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from sandboxd.halt import record
from sandboxd.halt.guard import Guard
from sandboxd.halt.record import Halt, Owner, Reason
from sandboxd.observe import pins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.model.engine_answers import Inspected


def has_lost(inspected: Inspected) -> bool:
    """Whether a running container lost some of its mounts, by its own mount table as far as that can be read."""
    return any(pin.is_lost for pin in pins.look(pins.subject(inspected)))


def compare(engine: Engine, inspected: Inspected, environ: Mapping[str, str]) -> Halt | None:
    """Halt a running container if some of its mounts are lost: for commands, where no daemon watches.

    :returns: None if none is lost, as far as can be seen, or if it does not run any more
    :raises EnvironmentFailure: the engine does not stop it, or the record cannot be written
    """
    if not has_lost(inspected):
        return None
    with contextlib.closing(Guard(engine, inspected)) as guard:
        halted = record.open_halt(environ, guard.sandbox, guard.container)
        if not guard.forget_lost_before(halted):
            return None
        return guard.halt(environ, Owner.COMMAND, Reason.UNWATCHED)
