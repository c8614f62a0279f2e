"""Answers Kubernetes' probes: whether the program lives, and whether a policy is in force."""

from __future__ import annotations

from sandboxd.egress.gateway import refusals
from sandboxd.egress.gateway.connections import Connection
from sandboxd.egress.gateway.gate import Gate
from sandboxd.egress.gateway.head_reader import HEAD_SECONDS, TOO_SLOW, next_request
from sandboxd.egress.gateway.http_head import BadHead
from sandboxd.egress.gateway.reader import Reader

LIVE, READY = "/live", "/ready"


async def serve(gate: Gate, connection: Connection) -> None:
    """Serve one request. The answer does not depend on its content."""
    reader = Reader(connection)
    try:
        parts = await next_request(reader, HEAD_SECONDS)
        if parts is None:
            return
        _, request = parts
    except BadHead as error:
        if error.status != TOO_SLOW:
            await reader.end(refusals.response(error.status, "refused\n"))
        return
    path = request.target.decode("ascii", "replace")
    if path == LIVE:
        await reader.end(refusals.response(200, "alive\n"))
    elif path != READY:
        await reader.end(refusals.response(400, f"ask for {LIVE} or {READY}\n"))
    elif gate.policy.version:
        await reader.end(refusals.response(200, f"policy {gate.policy.version}\n"))
    else:
        await reader.end(refusals.response(503, "no policy: nothing is let through\n"))
