"""Have the gateway's SOCKS door dial an address: of the host, of its loopback, of a metadata service."""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes import _doors, _network
from sandboxd.inside.escapes._kernel import NotApplicable

TITLE = "have the SOCKS proxy dial an address of the host"
JUDGE = "token"
GROUP = _network.EGRESS
WAITS = True
EXPECTED = {"runc": "the gateway refuses addresses", "runsc": "the gateway refuses addresses"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    address = _doors.gateway(facts)
    if not facts["host_port"]:
        raise NotApplicable("the host has no listener there")
    answer = b""
    for host in [*facts["host_addresses"][:3], "127.0.0.1", "localhost"]:
        answer = _doors.socks(address, host, facts["host_port"])
        if answer[1:2] == b"\0":
            return {"token": _doors.banner(answer), "detail": f"a way to {host}"}
    raise OSError(f"refused with code {answer[1] if len(answer) > 1 else 'none'}")
