"""The gateway that runs for a project, as these operations need it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sandboxd.egress.ledger import Ledger
    from sandboxd.egress.policy import Policy


class Gateway(Protocol):
    """A daemon keeps its connection to it; a command opens one."""

    def push(self, policy: Policy) -> None:
        """Have it let through what `policy` does, and cut what that does not; returns once it does.

        :param policy: without version, addresses, services and the host's networks
        :raises EnvironmentFailure: it does not take it; then nothing is let through
        """

    def ledger(self) -> Ledger:
        """The record of all that it told since it started."""

    def answer(self, question: int, why: str) -> None:
        """Say no to a question from inside; a yes is a policy that allows it."""


FindGateway = Callable[[str], "Gateway | None"]
"""The gateway of a workspace (its real path); None where none runs."""


def none_runs(_workspace: str) -> None:
    """A `FindGateway` for who knows that no sandbox runs."""
