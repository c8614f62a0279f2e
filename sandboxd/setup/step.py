"""One step of a setup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

State = dict[str, Any]
"""JSON: what a step has to remember to be undone."""

Say = Callable[[str], None]


class Step(Protocol):
    """A change with which doing or undoing twice has the same outcome as once.

    A run may be killed between any two instructions, so `do` starts from whatever an earlier one left, and
    `undo` works with nothing but the state that `before` gave when the step began.
    """

    id: str
    title: str

    def shows(self) -> tuple[str, ...]:
        """The commands and files, for the plan."""

    def is_done(self) -> bool: ...

    def before(self) -> State: ...

    def do(self, say: Say) -> State:
        """Make the change; returns what the journal keeps with the step's end."""

    def undo(self, state: State, say: Say) -> None: ...
