"""One thing that sandboxd keeps, and how to free it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

State = Literal["in use", "work", "unused"]
"""``work``: nothing uses it, but it may hold a user's work, so it is freed only if the user asks for that."""


class Entry(NamedTuple):
    """One thing that sandboxd keeps on this machine or in its engine.

    `name` is its name in the engine, or a path; `about` says in words to whom it belongs; `size` is in bytes, None if
    it is not known. `free` removes it and returns whether it did: not if it is in use by then.
    """

    kind: str
    name: str
    about: str
    size: int | None
    state: State
    free: Callable[[], bool]
