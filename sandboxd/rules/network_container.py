"""The container shares the network of another one.

## What it is

`--network=container:NAME`, Compose `network_mode: service:NAME`. Official templates with a
database do it.

## Why it is bad

Both have one loopback: whatever the other service trusts because it comes from 127.0.0.1, the
code in here may use. A debugger without a password in either is open to both.

## What to do instead

Put both on one network and use the service's name for the host: `db:5432`.

## Under gVisor

No difference.

## References

- https://docs.docker.com/engine/network/#container-networks
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Mentions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="network-container",
    summary="the network of another container is shared",
    severity=Severity.HINT,
    since="0.1.0",
    why="each trusts what comes from 127.0.0.1, and that is the other now",
    needs=(Mentions("network", "container:"), Mentions("network", "service:")),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.network
    if value is None or not value.value.startswith(("container:", "service:")):
        return
    yield at_value(
        META,
        value,
        f"`{value.written}` joins the other container's network, its loopback services included",
        value.value,
    )
