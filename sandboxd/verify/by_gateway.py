"""The gateway of a sandbox that is attacked: it is no neighbour, and what it refused went nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandboxd.errors import EnvironmentFailure
from sandboxd.life import running_gateway
from sandboxd.model.labels import EGRESS, PROJECT
from sandboxd.verify.judge import Judgement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.engine.answers import Inspected
    from sandboxd.engine.client import Engine
    from sandboxd.life.running_gateway import RunningGateway
    from sandboxd.verify.attempts import Attempt

_LOOK_UP = "dns-egress"


def find(engine: Engine, inspected: Inspected) -> RunningGateway | None:
    """The gateway of the sandbox in use, None where it has none."""
    labels = (inspected.get("Config") or {}).get("Labels") or {}
    if not labels.get(EGRESS):
        return None
    return running_gateway.find(engine, labels.get(PROJECT) or "")


def refused_names(gateway: RunningGateway | None) -> frozenset[str]:
    """Names that the gateway was asked for and looked nothing up for; none where it does not tell."""
    if gateway is None:
        return frozenset()
    try:
        lines = gateway.ledger().lines()
    except EnvironmentFailure:
        return frozenset()
    return frozenset(
        line.name
        for line in lines
        if (line.outcome, line.door, line.reason) == ("denied", "dns", "no-rule")
    )


def judged(
    attempt: Attempt, judgement: Judgement, record: Mapping[str, Any], refused: frozenset[str]
) -> Judgement:
    """`judgement`, unless the answer that the attempt got was the gateway's own refusal.

    Inside, that looks like the answer of somebody who knows all names.
    """
    if attempt.id != _LOOK_UP or judgement.outcome not in ("escaped", "residual"):
        return judgement
    if record.get("asked") not in refused:
        return judgement
    return Judgement("held", "the gateway was asked, and looked nothing up")
