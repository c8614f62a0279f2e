"""What a person is told of a copy that is kept the same."""

from __future__ import annotations

from collections.abc import Mapping

from sandboxd.model.sandbox_id import name_option
from sandboxd.screen import first_of
from sandboxd.sync import last_state, record
from sandboxd.sync.last_state import LastState, Named
from sandboxd.sync.place import place_of

_MOST_NAMED = 3


def state_of(environ: Mapping[str, str], sandbox: str) -> LastState | None:
    """The last state of the copy that a sandbox has now; None if it has none.

    :param sandbox: the sandbox's identity
    """
    place = place_of(environ, sandbox)
    copy, state = record.read(place), last_state.read(place)
    return state if copy and state and state.container == copy.container else None


def lines(environ: Mapping[str, str], sandbox: str) -> tuple[str, ...]:
    """A sentence about each thing that differs between a copy and the host's folder; () for nothing."""
    state = state_of(environ, sandbox)
    if state is None:
        return ()
    review = f"`sandboxd review{name_option(sandbox)}`"
    texts = []
    if state.removals.total:
        texts.append(f"{state.problem} ({state.removals.total}): {review} takes your answer")
    elif state.problem:
        texts.append(f"not kept the same: {state.problem}")
    if state.stays.total:
        texts.append(f"changed inside and stays there: {names(state.stays)}: {review}")
    if state.conflicts.total:
        texts.append(f"both sides changed a file: the sandbox's is {names(state.conflicts)}")
    return tuple(texts)


def names(named: Named, most: int = _MOST_NAMED) -> str:
    """The first paths, in backticks, and how many more there are."""
    return first_of([path for path, _ in named.paths], most, named.total)
