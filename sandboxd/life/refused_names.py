"""The names that a gateway refused while a command ran in its sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.egress import words
from sandboxd.egress.names import normal
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import running_gateway
from sandboxd.life.gateway_channel import attach

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine


def number_now(engine: Engine, sandbox: str) -> int | None:
    """The number of the last event of a sandbox's gateway; None if no gateway answers.

    :param sandbox: the sandbox's identity
    """
    try:
        gateway = running_gateway.gateway_of(engine, sandbox)
        if gateway is None:
            return None
        with attach(engine, gateway.id, sandbox) as channel:
            return channel.ask(
                lambda event: event["seq"] if event["event"] == "state" else None, {"op": "state"}
            )
    except EnvironmentFailure:
        return None


def since(engine: Engine, sandbox: str, number: int | None) -> tuple[str, ...]:
    """What the gateway refused after the event `number`, each as an argument of `sandboxd egress allow`, without
    duplicates.

    :param sandbox: the sandbox's identity
    :param number: as `number_now` returned it; None gives ()
    """
    if number is None:
        return ()
    try:
        gateway = running_gateway.gateway_of(engine, sandbox)
        if gateway is None:
            return ()
        with attach(engine, gateway.id, sandbox) as channel:
            events = running_gateway.past(channel, number)
    except EnvironmentFailure:
        return ()
    return tuple(
        dict.fromkeys(
            words.target(normal(event["name"]), event["port"])
            for event in events
            if event["event"] == "denied" and words.approvable(event["name"], event["reason"])
        )
    )
