"""Events of a gateway, as it tells them, and credentials that are sent to one."""

from __future__ import annotations

from typing import Any

from sandboxd.egress.broker import Binding
from sandboxd.egress.broker_wire import Credentials
from sandboxd.egress.messages import Attempted, PolicySet

CREDENTIALS = Credentials((Binding("npm", 8101, "npm.example", 443, "X-Key", "marked-2"),), "PEM")


def policy(seq: int, version: int) -> PolicySet:
    return {"event": "policy", "seq": seq, "time": 0.0, "version": version, "ports": []}


def denied(seq: int, name: str) -> Attempted:
    return {
        "event": "denied",
        "seq": seq,
        "time": 0.0,
        "name": name,
        "port": 80,
        "door": "direct",
        "reason": "no-rule",
        "rule": "",
        "count": 1,
    }


def event(name: str, **fields: object) -> Any:
    return {"event": name, "seq": 1, "time": 0.0, **fields}
