"""Containers are reachable by their own addresses.

## What it is

`"allow-direct-routing": true`.

## Why it is bad

Since version 28 the engine drops what comes from outside for a container's own address. This switches
that off, and a neighbour needs nothing but a route:

    ip route add 172.17.0.0/16 via HOST && curl 172.17.0.2:5432

## What to do instead

Remove it, and publish the ports that are meant to be reached.

## Under gVisor

No difference: it is about the engine, not about what runs under it.

## References

- https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
- https://docs.docker.com/engine/network/packet-filtering-firewalls/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.daemon_config import DaemonConfig

META = RuleMeta(
    id="daemon-allow-direct-routing",
    summary="containers are reachable by their own addresses",
    severity=Severity.WARNING,
    since="0.1.0",
    why="ports that were never published are open to the local network",
    needs=(Field("values"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    value = subject.values.get("allow-direct-routing")
    if value is None or value.value is not True:
        return
    yield at_value(
        META,
        value,
        "`allow-direct-routing` lets neighbours reach ports that were not published",
        str(value.value),
        remedies=(
            Remedy(
                "remove `allow-direct-routing`",
                safe=False,
                changes=(Remove(value),),
                caution="routes to containers stop working",
            ),
        ),
    )
