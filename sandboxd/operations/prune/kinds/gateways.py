"""Gateways whose sandbox is gone: left by a start or an end that was killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.life import find as sandboxes
from sandboxd.life import gateway
from sandboxd.model.labels import GATEWAY
from sandboxd.model.sandbox_id import describe
from sandboxd.operations.gateway import end_unused
from sandboxd.operations.prune.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandboxd.engine.client import Engine

# Before the networks, which cannot be removed while a gateway is on them.
ORDER = 1


def find(engine: Engine, environ: Mapping[str, str]) -> Iterator[Entry]:
    """Yield each gateway that sandboxd made."""
    for container in engine.containers(GATEWAY):
        sandbox = container.labels[GATEWAY]
        if container.name != gateway.name_of(sandbox):
            continue
        is_used = bool(sandboxes.sandboxes_of(engine, sandbox))
        yield Entry(
            "gateway",
            container.name,
            f"of {describe(sandbox)}",
            None,
            "in use" if is_used else "unused",
            lambda sandbox=sandbox: end_unused(engine, sandbox, environ),  # type: ignore[misc]
        )
