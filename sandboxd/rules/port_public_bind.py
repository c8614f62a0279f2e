"""A port is open to the whole network.

## What it is

A published port without an address of the host: `8080:80` in `appPort`, `--publish` or Compose
`ports`. A number in `appPort` is not meant: the dev container CLI binds it to 127.0.0.1.

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

from sandboxd._typing import TYPE_CHECKING
from sandboxd.findings import Remedy, Replace, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._ports import published

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
    needs=("ports",),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for port in published(subject):
        if port.service:
            continue
        yield at_value(
            META,
            port.value,
            f"port `{port.port}` is open on every address of this machine",
            port.value.value,
            remedies=(
                Remedy(
                    "publish on the loopback only",
                    safe=False,
                    changes=(Replace(port.value, f"127.0.0.1:{port.value.written}"),),
                    caution="other machines cannot connect any more",
                ),
            )
            if port.value.written.count(":") == 1 and "$" not in port.value.written
            else (),
        )
