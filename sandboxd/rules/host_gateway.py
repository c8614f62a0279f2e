"""The container has a name for the host.

## What it is

`--add-host=NAME:host-gateway` or Compose `extra_hosts` with `host-gateway`. Docker Desktop has
such a name, `host.docker.internal`, without being asked.

## Why it is bad

Services of the host that listen on all addresses, or on the bridge, are reached from inside,
whatever firewall stands towards the network.

## What to do instead

Where a service of the host is meant to be used, this is the right way, and better than
`--network=host`. Let the service ask for a password.

## Under gVisor

No difference.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#add-host
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="host-gateway",
    summary="the container has a name for the host",
    severity=Severity.HINT,
    since="0.1.0",
    why="services of the host that listen on the bridge are in reach",
    needs=(Field("extra_hosts"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.extra_hosts:
        if value.value.value != "host-gateway":
            continue
        yield at_value(
            META,
            value,
            f"`{value.value.name}` leads to the services of this machine",
            value.value.name,
        )
