"""Names of other containers are not found under gVisor.

## What it is

A gVisor runtime together with a network that has a name of its own, which every Compose project
has.

## Why it is bad

Docker's name server at 127.0.0.11 is made of firewall rules in the container's network, which
gVisor does not see. Names of other services and of the internet are not found; people then go
back to runc, or to the host's network.

## What to do instead

Give the container a name server (`--dns=1.1.1.1`) and fixed addresses for the others, or put
services that have to find each other on the default bridge with `network_mode: bridge` and
`dns`.

## Under gVisor

This is about gVisor only.
Not tried on a build.

## References

- https://github.com/google/gvisor/issues/7469
- https://gvisor.dev/docs/tutorials/docker-compose/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.model.labels import RESOLV_CONF
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._runtime import shares_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="runsc-user-network-dns",
    summary="names of other containers are not found under gVisor",
    severity=Severity.WARNING,
    since="0.1.0",
    why="nothing is resolved, and people go back to runc",
    needs=(Field("runtime"),),
)


_PLAIN = ("none", "host", "bridge", "default")


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    runtime, network = subject.runtime, subject.network
    if runtime is None or shares_kernel(subject, host):
        return
    if network is not None:
        if network.value in _PLAIN or ":" in network.value:
            return
    elif runtime.origin.key != "runtime":
        return
    if any(mount.value.target == RESOLV_CONF for mount in subject.mounts):
        return  # another name server takes the place of docker's
    # Compose puts each service on a network of the project.
    value = runtime if network is None else network
    yield at_value(
        META,
        value,
        "under gVisor, docker's name server on this network is not reached: no name is found",
        runtime.value,
    )
