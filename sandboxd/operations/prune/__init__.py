"""Shows what sandboxd keeps on this machine and in its engine, and frees what nothing needs.

One file of `kinds` for each kind of thing. Only things with our label and our name are considered.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.engine.interruption import Step, interruptible
from sandboxd.life import cache_uses
from sandboxd.life.cache_uses import Measured
from sandboxd.operations.options import PruneOptions

if TYPE_CHECKING:
    from sandboxd.operations.prune.entry import Entry, State
    from sandboxd.operations.request import Request

NEEDS_FACTS = False


class Row(NamedTuple):
    """One thing that sandboxd keeps; `size` in bytes, None if it is not known."""

    kind: str
    name: str
    about: str
    size: int | None
    state: State
    is_freed: bool


class Caches(NamedTuple):
    """The total size of the package caches that are left, and its limit, both in bytes."""

    size: int
    bound: int


class Pruned(NamedTuple):
    """Everything that was found, with whether it was freed."""

    rows: tuple[Row, ...]
    caches: Caches


def serve(request: Request) -> Pruned:
    """Find everything that sandboxd keeps, and free what `PruneOptions` ask for."""
    from sandboxd.errors import SandboxdError
    from sandboxd.operations.prune import kinds
    from sandboxd.policy import cache_size

    options = request.read_options(PruneOptions)
    bound = cache_size.bound(request.environ)
    engine = interruptible(request.engine, request.cancel)
    rows = []
    for entry in kinds.entries(engine, request.environ):
        request.cancel.check()
        is_freed = False
        if options.frees and _is_wanted(entry, options.with_work):
            try:
                is_freed = entry.free()
            except SandboxdError as error:
                request.progress(Step(f"`{entry.name}` stays: {error.message}"))
        rows.append(Row(entry.kind, entry.name, entry.about, entry.size, entry.state, is_freed))
    caches = Caches(
        sum(row.size or 0 for row in rows if row.kind == "caches" and not row.is_freed), bound
    )
    measured = Measured(time.time(), caches.size)
    cache_uses.note_size(request.environ, engine.host, measured)
    return Pruned(tuple(rows), caches)


def _is_wanted(entry: Entry, with_work: bool) -> bool:
    return entry.state == "unused" or (with_work and entry.state == "work")
