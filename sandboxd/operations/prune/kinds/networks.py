"""Networks of gateways on which no sandbox is, and which no generated file names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.life.find import sandboxes_of
from sandboxd.life.network_forms import OUTER_NAME
from sandboxd.model.labels import NETWORK
from sandboxd.model.sandbox_id import describe, name_of, workspace_of
from sandboxd.operations.prune.entry import Entry
from sandboxd.plan import generate
from sandboxd.plan.container_name import container_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandboxd.engine.client import Engine

ORDER = 2


def find(engine: Engine, _environ: Mapping[str, str]) -> Iterator[Entry]:
    """Yield each network that sandboxd made: the inner ones, then the outer one of all gateways."""
    networks = [network for network in engine.networks() if NETWORK in network.labels]
    for network in sorted(networks, key=lambda network: network.name == OUTER_NAME):
        sandbox = network.labels[NETWORK]
        if network.name != (container_name(sandbox) if sandbox else OUTER_NAME):
            continue
        is_used = bool(engine.network_containers(network.id)) or (
            bool(sandbox) and _is_wanted(engine, sandbox)
        )
        yield Entry(
            "network",
            network.name,
            f"of {describe(sandbox)}" if sandbox else "the way out of all gateways",
            None,
            "in use" if is_used else "unused",
            lambda network=network: engine.remove_network(network.id),  # type: ignore[misc]
        )


def _is_wanted(engine: Engine, sandbox: str) -> bool:
    """Whether a container in any state, or a file for other tools, needs the network again."""
    has_file = not name_of(sandbox) and generate.is_there(workspace_of(sandbox))
    return has_file or bool(sandboxes_of(engine, sandbox))
