"""The running gateway of a project, as these operations use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sandboxd.model.sandbox_id import sandbox_id

if TYPE_CHECKING:
    from sandboxd.egress.ledger import Ledger
    from sandboxd.operations.request import Request


class Gateway(Protocol):
    """A running gateway: a daemon keeps its connection to it, a command opens one."""

    def follow(self) -> None:
        """Have the gateway enforce what its sandbox may have now, and end connections that it does not allow.

        Returns once it does. It is given nothing by the caller: what holds is read in the one place that reads it, so
        that what was read earlier is never given later.

        :raises UsageError: what holds cannot be read; it keeps what it has
        :raises EnvironmentFailure: it does not take it; then nothing is let through
        """

    def ledger(self) -> Ledger:
        """The record of all that it reported since it started."""

    def answer(self, question: int, why: str) -> None:
        """Deny a question from inside; to allow it, keep an answer that does, and `follow`."""


FindGateway = Callable[[str], "Gateway | None"]
"""The gateway of a workspace (its real path); None where none runs."""


class Together(NamedTuple):
    """The gateways of the sandboxes of one workspace: an answer about a name applies to all of them."""

    meant: Gateway
    """The one that is asked for its record: that of the sandbox that is meant, where it runs."""
    others: tuple[Gateway, ...]

    def follow(self) -> None:
        """Have each gateway enforce what its own sandbox may have: an agent's session has names of its own."""
        for gateway in (self.meant, *self.others):
            gateway.follow()

    def ledger(self) -> Ledger:
        """The record of the sandbox that is meant."""
        return self.meant.ledger()

    def answer(self, question: int, why: str) -> None:
        """Deny a question from inside the sandbox that is meant."""
        self.meant.answer(question, why)


def gateway_of(request: Request, workspace: str) -> Gateway | None:
    """The gateway of the sandbox that is meant; None where it does not run.

    :param workspace: a real path
    """
    return _find(request, workspace, request.name)


def gateways_of(request: Request, workspace: str) -> Gateway | None:
    """The gateways of all sandboxes that run for a workspace, first the one that is meant; None where none runs.

    :param workspace: a real path
    """
    from sandboxd.life import find

    beside = {"", *find.names_beside(request.engine, workspace)} - {request.name}
    each = (_find(request, workspace, name) for name in (request.name, *sorted(beside)))
    running = [gateway for gateway in each if gateway is not None]
    return Together(running[0], tuple(running[1:])) if running else None


def _find(request: Request, workspace: str, name: str) -> Gateway | None:
    return request.find_gateway(sandbox_id(workspace, name))


def each_of(gateway: Gateway) -> tuple[Gateway, ...]:
    """The gateways that an answer goes to, first the one that is meant."""
    return (gateway.meant, *gateway.others) if isinstance(gateway, Together) else (gateway,)


def none_runs(_workspace: str) -> None:
    """A `FindGateway` for callers that know that no sandbox runs."""
