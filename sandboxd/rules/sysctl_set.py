"""Kernel settings are changed for the container.

## What it is

`--sysctl` or Compose `sysctls`. The engine only takes those that are the container's own.

## Why it is bad

Some take a guard away: `net.ipv4.ip_unprivileged_port_start=0`,
`net.ipv4.conf.all.route_localnet=1`, `net.ipv4.ip_forward=1`. None reaches the host.

## What to do instead

Leave out what is not needed; say in a comment what it is for.

## Under gVisor

Programs inside read the values of gVisor's own kernel, which they do not change.
Seen with runsc 20240729.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#sysctl
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
    id="sysctl-set",
    summary="kernel settings are changed for the container",
    severity=Severity.HINT,
    since="0.1.0",
    why="some of them take a guard away",
    needs=(Field("sysctls"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.sysctls:
        yield at_value(
            META,
            value,
            f"`{value.value.name}` is set to `{value.value.value}` in the container's network or memory",
            value.value.name,
        )
