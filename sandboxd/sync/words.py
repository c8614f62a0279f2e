"""What a person is told of a copy that is kept the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from sandboxd.model.sandbox_id import name_option
from sandboxd.screen import duration, first_of
from sandboxd.sync import last_state, record
from sandboxd.sync.engine import SWEEP_SECONDS
from sandboxd.sync.last_state import LastState, Named
from sandboxd.sync.place import place_of

_MOST_NAMED = 3
_OLD_SECONDS = 2 * SWEEP_SECONDS


def state_of(environ: Mapping[str, str], sandbox: str) -> LastState | None:
    """The last state of the copy that a sandbox has now; None if it has none.

    :param sandbox: the sandbox's identity
    """
    place = place_of(environ, sandbox)
    copy, state = record.read(place), last_state.read(place)
    return state if copy and state and state.container == copy.container else None


def lines(
    environ: Mapping[str, str], sandbox: str, clock: Callable[[], float] = time.time
) -> tuple[str, ...]:
    """A sentence about each thing that differs between a copy and the host's folder; () for nothing.

    :param clock: returns seconds since 1970
    """
    state = state_of(environ, sandbox)
    if state is None:
        return ()
    review = f"`sandboxd review{name_option(sandbox)}`"
    texts = []
    if age := _age(state, clock()):
        texts.append(f"{age}: {review} compares both sides now")
    if state.removals.total:
        texts.append(f"{state.problem} ({state.removals.total}): {review} takes your answer")
    elif state.problem:
        texts.append(f"not kept the same: {state.problem}")
    if state.stays.total:
        texts.append(f"changed inside and stays there: {names(state.stays)}: {review}")
    if state.conflicts.total:
        texts.append(f"both sides changed a file: the sandbox's is {names(state.conflicts)}")
    return tuple(texts)


def _age(state: LastState, now: float) -> str:
    """When both sides were last compared, in words; '' while that is no longer ago than where a daemon keeps them."""
    if not state.at:
        return "never compared"
    seconds = now - state.at
    return f"last compared {duration(seconds)} ago" if seconds > _OLD_SECONDS else ""


def names(named: Named, most: int = _MOST_NAMED) -> str:
    """The first paths, in backticks, and how many more there are."""
    return first_of([path for path, _ in named.paths], most, named.total)
