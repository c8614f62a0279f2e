"""The network, by the engine's settings: no process inside can add one. `life.gateway_look` adds what the gateway shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.model.labels import EGRESS
from sandboxd.observe.control import Control
from sandboxd.observe.controls._sight import blind

if TYPE_CHECKING:
    from sandboxd.model.container import Container
    from sandboxd.observe.controls._sight import Sight
    from sandboxd.observe.process import Process


NAME = "network"
PLACE = 130
PROOF: tuple[str, ...] = ()

_DEFAULT_ROUTE = " 00000000"


def on_linux(sight: Sight) -> tuple[Control, ...]:
    requested = _requested(sight.live)
    if requested.state != "in force":
        return (requested,)
    if sight.process is None:
        return blind(NAME)
    if not sight.process.routes:
        return (requested,)
    ways = ", ".join(sorted({route.split()[0] for route in sight.process.routes}))
    why = f"none was asked for, and there are routes by {ways}"
    return (Control(NAME, "not in force", why),)


def under_gvisor(sight: Sight) -> tuple[Control, ...]:
    return (_requested(sight.live),)


def contradictions(sight: Sight, inside: Process) -> dict[str, str]:
    # Beside a gateway there is one network, and no way beyond it.
    has_gateway = bool(sight.live.label(EGRESS))
    ways = [r for r in inside.routes if not has_gateway or r.endswith(_DEFAULT_ROUTE)]
    return {NAME: f"a route by {ways[0].split()[0]}"} if ways else {}


def _requested(live: Container) -> Control:
    mode = live.network.value if live.network else "bridge"
    if mode == "none":
        return Control(NAME, "in force", "there is none")
    if mode == "host":
        return Control(NAME, "open", "the host's own")
    if live.label(EGRESS):
        return Control(NAME, "not seen", "its gateway was not looked at")
    return Control(NAME, "open", f"`{mode}`: host services and DNS reachable")
