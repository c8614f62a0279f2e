"""A port is open to the whole network.

## What it is

A published port without an address of the host: `8080:80` in `appPort`, `--publish` or Compose
`ports`. The port that is open is the first, 8080; without it the engine picks one. A number in
`appPort` is not meant: the dev container CLI binds it to 127.0.0.1. With the host's network or
another container's, docker publishes nothing.

Compose services under the numbers of servers that are there for others (80, 443, mail, DNS, VPN)
are hints.

## Why it is bad

Docker listens on all addresses of the machine and opens the port past `ufw` and `firewalld`,
which know nothing of it. Everybody in the same café or office network reaches a development
server, which has no password, no TLS and its debugger on.

## What to do instead

Write the address: `127.0.0.1:8080:80`. In a dev container `forwardPorts` does that by itself. Or
set `"ip": "127.0.0.1"` in the engine's daemon.json once.

## Under gVisor

No difference.

## References

- https://docs.docker.com/engine/network/packet-filtering-firewalls/
- https://github.com/moby/moby/issues/4737
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._ports import loopback, published

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="port-public-bind",
    summary="a port is open to the whole network",
    severity=Severity.WARNING,
    since="0.1.0",
    why="docker opens it on every address and past the host's firewall",
    needs=(Field("ports"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for port in published(subject):
        if not port.service:
            yield at_value(
                META,
                port.value,
                f"{port.opening()} is open on every address",
                port.value.value,
                Severity.HINT if port.is_public_server() else Severity.WARNING,
                loopback(port),
            )
