"""One control of a container, and the words for its state."""

from __future__ import annotations

from typing import Literal, NamedTuple

State = Literal["in force", "not in force", "not seen", "left out", "open"]
"""``left out``: it was not asked for. ``open``: a way out that is left open on purpose. ``not seen``: it could not be
observed.
"""

STATES: tuple[State, ...] = ("in force", "not in force", "not seen", "left out", "open")


class Control(NamedTuple):
    """One security control of a container. `why` is what was observed, or the reason why nothing could be."""

    name: str
    state: State
    why: str
