"""Git directories that sandboxes have of their own, and whose sandbox or workspace is gone."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from sandboxd.exchange import leftover
from sandboxd.life.find import sandboxes_of
from sandboxd.model.sandbox_id import describe, name_of, workspace_of
from sandboxd.operations.prune.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.exchange.place import Place
    from sandboxd.operations.prune.entry import State

ORDER = 6


def find(engine: Engine, environ: Mapping[str, str]) -> Iterator[Entry]:
    """Yield each git directory in the user's state folder.

    One with commits that exist nowhere else is ``work``, and so is one whose sandbox is not known; `free` does not
    remove these.
    """
    for place, sandbox in leftover.every(environ):
        about = f"git of {describe(sandbox)}" if sandbox else "git of a sandbox"
        state: State = "in use"
        if not (sandbox and sandboxes_of(engine, sandbox)):
            why = leftover.why_kept(place, sandbox)
            state = "work" if why or not _is_gone(sandbox) else "unused"
            about = f"{about}: {why}" if why else about
        free = functools.partial(_free, engine, place, sandbox)
        yield Entry("git", place.folder, about, leftover.size_of(place), state, free)


def _is_gone(sandbox: str) -> bool:
    """Whether no plain `up` will use this sandbox's git directory again: the sandbox has a name of its own, or its
    workspace is no longer there.
    """
    return bool(name_of(sandbox)) or not os.path.isdir(workspace_of(sandbox))


def _free(engine: Engine, place: Place, sandbox: str) -> bool:
    """Remove one git directory, unless a sandbox uses it by now; return whether it was removed."""
    if sandbox and sandboxes_of(engine, sandbox):
        return False
    leftover.remove(place, sandbox)
    return True
