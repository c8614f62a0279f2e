"""Ways out of a sandbox that lead past its gateway: another network of its container, and what a host's setting leaves open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure
from sandboxd.host import addresses
from sandboxd.life import sources
from sandboxd.model.control_name import ControlName
from sandboxd.plan.reasons import Downgrade

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine
    from sandboxd.life.egress import Egress
    from sandboxd.model.engine_answers import Inspected


def other_networks(inspected: Inspected, egress: Egress) -> tuple[str, ...]:
    """Names of the networks that the sandbox's container is on other than its inner network; () for none."""
    endpoints = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    return tuple(
        sorted(
            name
            for name, endpoint in endpoints.items()
            if endpoint.get("NetworkID") not in ("", egress.pair.inner.id)
        )
    )


def refuse_other_networks(inspected: Inspected, egress: Egress | None) -> None:
    """Refuse a sandbox whose container is on a network that bypasses its gateway.

    :param egress: None where the sandbox has no gateway: then nothing is checked
    :raises EnvironmentFailure: the workspace's container has another way out than its gateway
    """
    if egress is None:
        return
    if others := other_networks(inspected, egress):
        raise EnvironmentFailure(
            f"the sandbox is on `{others[0]}`, too, which leads past its gateway",
            "run `sandboxd up` again",
        )


def lost(engine: Engine, egress: Egress | None) -> tuple[Downgrade, ...]:
    """The controls of the gateway's network that this host's settings weaken; () for none.

    On a bridge without a host address and with `rp_filter` 0, a program inside can send packets to the host's own
    addresses, but gets no answer.
    """
    if egress is None or egress.pair.inner.driver != "bridge":
        return ()
    if not sources.on_this_machine(engine) or addresses.reverse_path_filter() is not False:
        return ()
    why = (
        "this host's `rp_filter` is 0, so a program inside can send packets to the host's own "
        "addresses, without an answer"
    )
    return (Downgrade(ControlName.NETWORK, why, "`sudo sysctl -w net.ipv4.conf.all.rp_filter=1`"),)
