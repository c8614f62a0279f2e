"""The connection that has to work: without one that is seen to succeed, none that fails shows anything."""

from __future__ import annotations

import socket
from typing import Any

from sandboxd.inside.escapes import _doors

_SECONDS = 2.0


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    """:raises OSError: the gateway's proxy does not answer"""
    address = _doors.gateway(facts)
    with socket.create_connection((address, _doors.HTTP), timeout=_SECONDS):
        return {"detail": f"the gateway answers at {address} port {_doors.HTTP}"}
