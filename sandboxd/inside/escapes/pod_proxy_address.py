"""Have the gateway's proxies dial addresses of the cluster: the API server, the kubelet, the metadata service."""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes import _doors, _network

TITLE = "have the gateway's proxies dial addresses of the cluster"
JUDGE = "open"
CLUSTER = "only"
GROUP = _network.EGRESS
WAITS = True
EXPECTED = {"runc": "the gateway refuses addresses", "runsc": "the gateway refuses addresses"}

_METADATA = ("169.254.169.254", 80)
_LOOPBACK = ("127.0.0.1", 8080)
"""The gateway's own port for the kubelet's questions."""


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    gateway = _doors.gateway(facts)
    places = [*facts["api_server"], *facts["neighbours"][:2], _METADATA, _LOOPBACK]
    places += [(address, 10250) for address in facts["host_addresses"]]
    last = OSError("no address to try")
    for host, port in places:
        try:
            if _doors.socks(gateway, host, port)[1:2] == b"\0":
                return {"detail": f"the SOCKS proxy leads to {host} port {port}"}
        except OSError as error:
            last = error
        try:
            answer = _doors.connect(gateway, host, port)
        except OSError as error:
            last = error
            continue
        if b" 200 " in answer[:32]:
            return {"detail": f"the proxy leads to {host} port {port}"}
        last = OSError(f"refused: {answer.partition(bytes([13]))[0].decode('latin-1')}")
    raise last
