"""The running gateway of a project, as these operations use it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sandboxd.model.sandbox_id import sandbox_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.egress.ledger import Ledger
    from sandboxd.egress.policy import Policy
    from sandboxd.operations.request import Request


class Gateway(Protocol):
    """A running gateway: a daemon keeps its connection to it, a command opens one."""

    def push(self, policy: Policy) -> None:
        """Have the gateway enforce `policy`, and end connections that it does not allow; returns once it does.

        :param policy: without version, addresses, services and the host's networks
        :raises EnvironmentFailure: it does not take it; then nothing is let through
        """

    def ledger(self) -> Ledger:
        """The record of all that it reported since it started."""

    def answer(self, question: int, why: str) -> None:
        """Deny a question from inside; to allow it, push a policy that does."""


FindGateway = Callable[[str], "Gateway | None"]
"""The gateway of a workspace (its real path); None where none runs."""


class Together(NamedTuple):
    """The gateways of the sandboxes of one workspace: an answer about a name applies to all of them."""

    meant: Gateway
    """The one that is asked for its record: that of the sandbox that is meant, where it runs."""
    others: tuple[Gateway, ...]

    def push(self, policy: Policy) -> None:
        """Have each gateway enforce `policy`."""
        for gateway in (self.meant, *self.others):
            gateway.push(policy)

    def ledger(self) -> Ledger:
        """The record of the sandbox that is meant."""
        return self.meant.ledger()

    def answer(self, question: int, why: str) -> None:
        """Deny a question from inside the sandbox that is meant."""
        self.meant.answer(question, why)


class WithOwnNames(NamedTuple):
    """The gateway of a named sandbox: an agent's session has a config, so names and credentials, of its own."""

    gateway: Gateway
    workspace: str
    name: str
    environ: Mapping[str, str]

    def push(self, policy: Policy) -> None:
        """Have the gateway let through what holds for its own config, with the answers of now.

        :param policy: of the sandbox without a name
        """
        from sandboxd.policy import floor, proxy_credentials
        from sandboxd.project import Project
        from sandboxd.project.names import names_now

        project = Project.open(self.workspace, self.environ, self.name)
        own = names_now(project, time.time()).policy or policy
        folder = floor.user_folder(self.environ)
        self.gateway.push(proxy_credentials.add_to(own, folder, self.workspace))

    def ledger(self) -> Ledger:
        """The record of the gateway."""
        return self.gateway.ledger()

    def answer(self, question: int, why: str) -> None:
        """Deny a question from inside it."""
        self.gateway.answer(question, why)


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
    gateway = request.find_gateway(sandbox_id(workspace, name))
    if gateway is None or not name:
        return gateway
    return WithOwnNames(gateway, workspace, name, request.environ)


def each_of(gateway: Gateway) -> tuple[Gateway, ...]:
    """The gateways that an answer goes to, first the one that is meant."""
    return (gateway.meant, *gateway.others) if isinstance(gateway, Together) else (gateway,)


def none_runs(_workspace: str) -> None:
    """A `FindGateway` for callers that know that no sandbox runs."""
