"""One step of a setup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

State = dict[str, Any]
"""JSON data that a step needs to be undone."""

Say = Callable[[str], None]


class Step(Protocol):
    """An idempotent, reversible change: to do or undo it twice has the same effect as once.

    A run may be killed between any two instructions. So `do` starts from whatever an earlier `do` left, and `undo`
    needs nothing but the state that `before` returned when the step began.
    """

    id: str
    title: str

    def shows(self) -> tuple[str, ...]:
        """The commands and files to show to the user beforehand."""

    def is_done(self) -> bool: ...

    def before(self) -> State: ...

    def do(self, say: Say) -> State:
        """Make the change; return what the journal records at the step's end."""

    def undo(self, state: State, say: Say) -> None: ...
