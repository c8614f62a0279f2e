"""The running gateway of a sandbox, over a connection of this process: for commands where no daemon runs."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from sandboxd.egress.ledger import Ledger
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import gateway
from sandboxd.life.gateway_channel import Channel, attach

if TYPE_CHECKING:
    from sandboxd.egress.broker_wire import Credentials
    from sandboxd.egress.messages import Event
    from sandboxd.engine.client import Engine

_REPLAY_SECONDS = 10.0


class RunningGateway:
    """One gateway, by the id of its container."""

    def __init__(self, engine: Engine, workspace: str, container: str) -> None:
        self.id = container
        self._engine = engine
        self._workspace = workspace

    def ledger(self) -> Ledger:
        """All events that the gateway reported since it started.

        :raises EnvironmentFailure: it does not answer
        """
        ledger = Ledger()
        with attach(self._engine, self.id, self._workspace) as channel:
            ledger.take(past(channel))
        return ledger

    def answer(self, question: int, why: str) -> None:
        """Refuse the pending request `question` of a program inside.

        To grant one, send the gateway a policy that allows the name.

        :param question: the request's number
        :param why: the reason that the program is told
        """
        with attach(self._engine, self.id, self._workspace) as channel:
            # Commands are read in their order, so the state shows that what was sent before it was read.
            channel.ask(
                lambda event: event if event["event"] == "state" else None,
                {"op": "answer", "id": question, "why": why},
                {"op": "state"},
            )


def push_credentials(engine: Engine, workspace: str, credentials: Credentials) -> None:
    """Replace all credentials of a sandbox's gateway; return once they are in force.

    Only those that the gateway's policy names are used.

    :param workspace: the sandbox's identity
    :raises EnvironmentFailure: no gateway runs, or it rejects them; then none is in force
    """
    with gateway.attach_running(engine, workspace) as channel:
        gateway.set_credentials(channel, credentials)


def version(engine: Engine, workspace: str) -> int:
    """The version of the policy that a sandbox's gateway says it enforces; 0 if it has no policy.

    :param workspace: the sandbox's identity
    :raises EnvironmentFailure: no gateway runs, or it does not answer
    """
    with gateway.attach_running(engine, workspace) as channel:
        channel.send({"op": "state"})
        return channel.wait_for(
            lambda event: event["version"] if event["event"] == "state" else None
        )


def past(channel: Channel, after: int = 0, purpose: str = "") -> tuple[Event, ...]:
    """The events that a gateway has recorded after the event number `after`, in their order.

    :param purpose: a constant of `egress.messages` that the gateway records with this request; '' for none
    :raises EnvironmentFailure: it does not answer
    """
    # New events, and replays for other readers, come in between: numbers give the order.
    mark = f"{purpose} {secrets.token_hex(8)}"
    events: dict[int, Event] = {}
    try:
        with channel.turn():
            channel.send({"op": "events", "after": after, "mark": mark})
            for event in channel.events(_REPLAY_SECONDS):
                if event["seq"] > after:
                    events[event["seq"]] = event
                if event["event"] == "replayed" and event["mark"] == mark:
                    return tuple(events[number] for number in sorted(events))
    except TimeoutError:
        raise EnvironmentFailure(
            "the gateway does not tell what it did",
            "end it and start it again: `sandboxd down`, then `sandboxd up`",
        ) from None
    raise channel.ended()


def gateway_of(engine: Engine, workspace: str) -> RunningGateway | None:
    """The running gateway of a sandbox; None if none runs.

    :param workspace: the sandbox's identity
    """
    present = gateway.container_of(engine, workspace)
    if present is None or present.state != "running":
        return None
    return RunningGateway(engine, workspace, present.id)
