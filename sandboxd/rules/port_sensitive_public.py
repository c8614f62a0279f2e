"""A database, debugger or remote control is open to the whole network.

## What it is

A published port without an address of the host, behind which usually a database or its broker
(5432, 3306, 6379, 27017, 9200, 7474, 5672, 6333), a debugger (9229, 5678, 5005, 2345), Jupyter
(8888), SSH, VNC or the Docker API (2375) listens. The number inside decides: `10022:22` is SSH. Ports
that many programs share count where the name of the image says which of them it is (ClickHouse,
MinIO, Jenkins).

## Why it is bad

Development databases have the password that stands beside them in the file, or none; debuggers
run what they are told. Docker opens the port on all addresses and past the host's firewall.

    psql -h your-laptop -U postgres    # from the next table

The Docker API is an error: it hands over the machine that it runs on.

## What to do instead

Write the address, `127.0.0.1:5432:5432`. Other services of the same Compose file reach it
without any published port.

## Under gVisor

No difference.

## References

- https://docs.docker.com/engine/network/packet-filtering-firewalls/
- https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html
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
    id="port-sensitive-public",
    summary="a database, debugger or remote control is open to the whole network",
    severity=Severity.ERROR,
    since="0.1.0",
    why="whoever is on the network has the data, or runs code",
    needs=(Field("ports"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for port in published(subject):
        if port.service:
            yield at_value(
                META,
                port.value,
                f"{port.opening()} is open on every address, and {port.service} usually listens there",
                port.value.value,
                Severity.ERROR if port.service == "the Docker API" else Severity.WARNING,
                loopback(port),
            )
