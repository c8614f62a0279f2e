"""One thing of ours that can be freed, and what it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

State = Literal["in use", "work", "unused"]
"""``work``: nothing runs on it, and it may hold what somebody made: it goes only when that is asked for."""


class Entry(NamedTuple):
    """One thing of ours on this machine or its engine.

    `name` is the engine's, or a path; `about` says whose it is; `size` in bytes, None: not known. `free`
    removes it and returns whether it did; what is in use by then stays.
    """

    kind: str
    name: str
    about: str
    size: int | None
    state: State
    free: Callable[[], bool]
