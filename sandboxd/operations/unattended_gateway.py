"""The running gateway of a sandbox to which no daemon attends."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.operations import gateway

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.egress.ledger import Ledger
    from sandboxd.engine.client import Engine
    from sandboxd.life.running_gateway import RunningGateway


class UnattendedGateway(NamedTuple):
    """The running gateway of a sandbox, used without a daemon; an `operations.egress.gateways.Gateway`."""

    engine: Engine
    sandbox: str
    environ: Mapping[str, str]
    running: RunningGateway

    def follow(self) -> None:
        """Make the gateway enforce what its sandbox may have now; see `operations.gateway.follow`."""
        gateway.follow(self.engine, self.sandbox, self.environ)

    def ledger(self) -> Ledger:
        """All events that the gateway reported since it started."""
        return self.running.ledger()

    def answer(self, question: int, why: str) -> None:
        """Refuse the pending request `question` of a program inside, for the reason `why`."""
        self.running.answer(question, why)
