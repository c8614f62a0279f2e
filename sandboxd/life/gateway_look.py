"""Checks that a running sandbox reaches nothing but names through its gateway, for a row of `status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure
from sandboxd.life import gateway, gateway_difference, networks
from sandboxd.life.gateway_channel import attach
from sandboxd.model import capabilities
from sandboxd.model.labels import EGRESS, MADE_BY, PROJECT
from sandboxd.observe import host_process, inspection
from sandboxd.observe.control import Control
from sandboxd.plan.container_name import container_name

if TYPE_CHECKING:
    from sandboxd.egress.messages import Event, State
    from sandboxd.engine.client import Engine, Summary
    from sandboxd.model.engine_answers import Inspected

STATE_SECONDS = 10.0
"""Seconds to wait for a gateway's answer; on a busy machine one that works may answer late."""


def with_gateway(
    engine: Engine, controls: tuple[Control, ...], inspected: Inspected
) -> tuple[Control, ...]:
    """Return `controls` with the state of the network control replaced by what its gateway does at this moment.

    :param inspected: the sandbox's container, as the engine describes it
    """
    if not inspection.container(inspected).label(EGRESS):
        return controls
    return tuple(
        _network(engine, inspected, control)
        if control.name == "network" and control.state != "not in force"
        else control
        for control in controls
    )


def _network(engine: Engine, inspected: Inspected, control: Control) -> Control:
    made_by = inspection.container(inspected).label(MADE_BY)
    closed = f"nothing gets out until `{gateway.way_back(made_by)}`"
    try:
        state, why = _look(engine, inspected, closed)
    except EnvironmentFailure as error:
        return control._replace(state="not in force", why=f"{error.message}; {closed}")
    return control._replace(state="in force" if state else "not in force", why=why)


def _look(engine: Engine, inspected: Inspected, closed: str) -> tuple[bool, str]:
    """Whether the gateway holds, and the observation.

    :param closed: what a missing gateway means, in words
    :raises EnvironmentFailure: a network is not as we make it, or the gateway does not answer
    """
    live = inspection.container(inspected)
    workspace = live.label(PROJECT)
    mode = live.network.value if live.network else ""
    if mode != container_name(workspace):
        return (
            False,
            f"it is on `{mode}`, which leads past its gateway; `sandboxd up` makes it anew",
        )
    pair = networks.pair_of(engine, workspace)
    if pair is None:
        return False, f"its gateway's networks are gone; {closed}"
    present = gateway.container_of(engine, workspace)
    if present is None or present.state != "running":
        if other := gateway.substitute(engine, workspace):
            return False, f"in the place of its gateway is the container `{other}`: remove it"
        state = "not there" if present is None else _end(engine, present)
        return False, f"its gateway is {state}: {closed}"
    if weak := _difference(engine, present.id, pair, workspace):
        return False, weak
    answer = _ask(engine, present.id, workspace)
    if not answer["version"]:
        return False, f"its gateway has no policy: {closed}"
    return True, (
        "names through the gateway (seen: on its inner network alone; the gateway runs without rights "
        f"and has policy {answer['version']:012x})"
    )


def _end(engine: Engine, present: Summary) -> str:
    """The state of a gateway that does not run, and why, where the engine knows it."""
    full = engine.inspect(present.id)["State"].get("OOMKilled")
    return f"{present.state} (out of memory)" if full else present.state


def weakness(engine: Engine, workspace: str) -> str:
    """The first fault of a sandbox's running gateway, in words; '' for none.

    :param workspace: the sandbox's identity
    :raises EnvironmentFailure: a network differs from the one that sandboxd makes
    """
    pair, present = networks.pair_of(engine, workspace), gateway.container_of(engine, workspace)
    if pair is None or present is None:
        return "the gateway is gone"
    return _difference(engine, present.id, pair, workspace)


def _difference(engine: Engine, container: str, pair: networks.Pair, workspace: str) -> str:
    inspected = engine.inspect(container)
    # The image is not compared: only `up` knows the id that it has to have.
    wanted = gateway.body(str(inspected.get("Image")), pair.inner, workspace)
    expected = gateway_difference.as_limited(wanted, inspected, engine.info)
    weak = gateway_difference.difference(inspected, expected, pair) or _rights(inspected)
    return f"the gateway is not as `sandboxd up` makes it: {weak}" if weak else ""


def _ask(engine: Engine, container: str, workspace: str) -> State:
    def state(event: Event) -> State | None:
        return event if event["event"] == "state" else None

    with attach(engine, container, workspace) as channel:
        return channel.ask(state, {"op": "state"}, seconds=STATE_SECONDS)


def _rights(inspected: Inspected) -> str:
    """The privileges that the gateway's process should have dropped but has; '' also if they are hidden."""
    process = host_process.look(inspected)
    if process is None:
        return ""
    try:
        names = capabilities.names(process.status.get("CapEff", "0"))
    except ValueError:
        names = frozenset({"what it has cannot be read"})
    if names:
        return f"it has capabilities: {', '.join(sorted(names))}"
    return "no seccomp filter is loaded" if process.status.get("Seccomp") != "2" else ""
