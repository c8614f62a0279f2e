"""The running gateways of a project, as the operations of `sandboxd egress` use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sandboxd.errors import SandboxdError

if TYPE_CHECKING:
    from sandboxd.egress.ledger import Ledger


class Gateway(Protocol):
    """A running gateway: a daemon keeps its connection to it, a command opens one."""

    def follow(self) -> None:
        """Make the gateway enforce what its sandbox may have now, and close connections that this does not allow.

        It returns when that is in force. The rights are no argument: they are read again under a lock, so that outdated
        rights are never applied.

        :raises UsageError: the rights cannot be read; the gateway keeps those that it has
        :raises EnvironmentFailure: it does not accept them; then it lets nothing through
        """

    def ledger(self) -> Ledger:
        """All events that the gateway reported since it started."""

    def answer(self, question: int, why: str) -> None:
        """Refuse the pending request `question` of a program inside, with a reason. To allow it, save an approval and
        `follow`.
        """


FindGateway = Callable[[str], "Gateway | None"]
"""Returns the running gateway of a workspace (its real path); None if none runs."""


class Together(NamedTuple):
    """The gateways of the sandboxes of one workspace: an answer about a name applies to all of them."""

    meant: Gateway
    """The gateway whose record is read: that of the selected sandbox, or, if this does not run, the first of the
    others.
    """
    others: tuple[Gateway, ...]
    names: tuple[str, ...] = ("",)
    """The names of their sandboxes, in the same order; '' for the unnamed one."""

    def follow(self) -> None:
        """Make each gateway enforce what its own sandbox may have; an agent's session may have names of its own.

        One that does not accept it keeps no other from being followed.
        """
        failure: SandboxdError | None = None
        for gateway in (self.meant, *self.others):
            try:
                gateway.follow()
            except SandboxdError as error:
                failure = failure or error
        if failure is not None:
            raise failure

    def ledger(self) -> Ledger:
        """The events of `meant`."""
        return self.meant.ledger()

    def answer(self, question: int, why: str) -> None:
        """Refuse the request `question` that a program in the sandbox of `meant` made."""
        self.meant.answer(question, why)


def each_of(gateway: Gateway) -> tuple[Gateway, ...]:
    """The single gateways that `gateway` stands for, first the selected one."""
    return (gateway.meant, *gateway.others) if isinstance(gateway, Together) else (gateway,)


def names_of(gateway: Gateway) -> tuple[str, ...]:
    """The names of the sandboxes whose gateways `gateway` stands for; '' for one that is the only one asked."""
    return gateway.names if isinstance(gateway, Together) else ("",)


def none_runs(_workspace: str) -> None:
    """A `FindGateway` that always returns None: for callers that know that no sandbox runs."""
