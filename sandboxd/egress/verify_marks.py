"""Tells the attempts that `sandboxd verify` makes at a gateway from those of the sandbox itself. Pure.

The sandbox may be in use meanwhile, and the gateway sees no difference. But it is known what `verify` asks for:
reserved names, addresses that are never dialled, and an allowed name at a port that no rule opens. Everything else,
and every attempt that succeeds, is the sandbox's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandboxd.egress.messages import Attempted

DENIED = "sandboxd-verify.test"
"""The domain of names that `verify` asks for to be denied; RFC 6761 reserves it."""
UNKNOWN = "sandboxd-verify-", ".invalid"
"""The beginning and the end of the name that no resolver knows."""
CLOSED_PORTS = (6667, 2525, 9418)
"""The ports of which `verify` tries one that no rule opens, at an allowed name."""
ALIASES = ("localhost", "host.docker.internal", "gateway.docker.internal")
"""Names of the host in engines."""

_NAMING_DOORS = ("dns", "http", "connect", "socks")
_TUNNEL_DOORS = ("connect", "direct", "port")


def may_be_of_verify(event: Attempted) -> bool:
    """Whether `event` is an attempt as `sandboxd verify` makes it; never where it succeeded or used a tripwire."""
    name, door = event["name"].lower(), event["door"]
    if event["event"] != "denied" or event["reason"] == "canary":
        return False
    if name.endswith(f".{DENIED}") or name in ALIASES:
        return door in _NAMING_DOORS
    if name.startswith(UNKNOWN[0]) and name.endswith(UNKNOWN[1]):
        return door == "dns"
    if event["reason"] == "port":
        return event["port"] in CLOSED_PORTS and door in _TUNNEL_DOORS
    return event["reason"] == "not-a-name" and door != "ask" and not _is_public(name)


def _is_public(name: str) -> bool:
    """Whether `name` is an address of the internet, to which something inside may want to send."""
    from ipaddress import ip_address

    try:
        return ip_address(name.strip("[]")).is_global
    except ValueError:
        return False
