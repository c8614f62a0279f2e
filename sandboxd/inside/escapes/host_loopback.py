"""Reach a service that the host binds to its loopback address only: the network namespace is shared."""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes import _network

TITLE = "reach a service on the host's loopback"
JUDGE = "token"
GROUP = _network.EGRESS
EXPECTED = {"runc": "a network namespace of its own", "runsc": "a network of its own"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    return _network.dial(["127.0.0.1"], facts["loopback_port"])
