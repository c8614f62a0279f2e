"""One control of a container, and the words for its state."""

from __future__ import annotations

from typing import Literal, NamedTuple

State = Literal["in force", "not in force", "not seen", "left out", "open"]
"""``left out``: nothing asks for it. ``open``: a way out that is open on purpose."""

STATES: tuple[State, ...] = ("in force", "not in force", "not seen", "left out", "open")


class Control(NamedTuple):
    """One control of a container. `why` is the observation, or why there is none."""

    name: str
    state: State
    why: str
