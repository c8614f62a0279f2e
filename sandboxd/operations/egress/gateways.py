"""The gateway that runs for a project, as these operations need it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sandboxd.model.sandbox_id import sandbox_id

if TYPE_CHECKING:
    from sandboxd.egress.ledger import Ledger
    from sandboxd.egress.policy import Policy
    from sandboxd.operations.request import Request


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


class Together(NamedTuple):
    """The gateways of the sandboxes of one workspace: an answer about a name is of all of them."""

    meant: Gateway
    """The one that is asked for its record."""
    others: tuple[Gateway, ...]

    def push(self, policy: Policy) -> None:
        """Have each let through what `policy` does."""
        for gateway in (self.meant, *self.others):
            gateway.push(policy)

    def ledger(self) -> Ledger:
        """The record of the sandbox that is meant."""
        return self.meant.ledger()

    def answer(self, question: int, why: str) -> None:
        """Say no to a question from inside the sandbox that is meant."""
        self.meant.answer(question, why)


def gateways_of(request: Request, workspace: str) -> Gateway | None:
    """The gateway of the sandbox that is meant, with those beside it; None where it does not run.

    :param workspace: a real path
    """
    from sandboxd.life import find

    meant = request.find_gateway(sandbox_id(workspace, request.name))
    if meant is None:
        return None
    names = {"", *find.names_beside(request.engine, workspace)} - {request.name}
    others = (request.find_gateway(sandbox_id(workspace, name)) for name in sorted(names))
    return Together(meant, tuple(gateway for gateway in others if gateway is not None))


def none_runs(_workspace: str) -> None:
    """A `FindGateway` for who knows that no sandbox runs."""
