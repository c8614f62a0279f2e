"""The container is pointed at an engine over the network.

## What it is

`DOCKER_HOST=tcp://...` in the environment of the container. With the name of the host
(`host.docker.internal`, the bridge's address, the loopback of a shared network) it is the host's
own engine.

## Why it is bad

An engine that listens on TCP hands the machine it runs on to whoever connects. No mount is
needed and none is seen; a network sandbox does not notice either.

    docker -H tcp://host.docker.internal:2375 run -v /:/h --privileged alpine chroot /h

## What to do instead

Switch the engine's TCP port off. Where a second engine is meant to be used (`docker:dind`), keep
it on a network that only the two share, with TLS (`DOCKER_TLS_VERIFY=1`, port 2376).

## Under gVisor

No difference: it is a network connection.

## References

- https://docs.docker.com/engine/security/protect-access/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Has

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="docker-host-env",
    summary="the container is pointed at an engine over the network",
    severity=Severity.ERROR,
    since="0.1.0",
    why="an engine on TCP hands over the machine that it runs on",
    needs=(Has("env", "DOCKER_HOST"), Has("remote_env", "DOCKER_HOST")),
)


_HOSTS = (
    "host.docker.internal",
    "gateway.docker.internal",
    "172.17.0.1",
    "host.containers.internal",
)
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    on_host = subject.network is not None and subject.network.value == "host"
    for value in (*subject.env, *subject.remote_env):
        name, address = value.value
        if name != "DOCKER_HOST" or not address.startswith(("tcp://", "http://", "https://")):
            continue
        machine = address.partition("://")[2].partition("/")[0].rpartition(":")[0]
        machine = machine or address.partition("://")[2]
        if machine in _HOSTS or (on_host and machine in _LOOPBACK):
            severity, whose = Severity.ERROR, "the host's engine"
        elif machine in _LOOPBACK:
            continue
        else:
            severity, whose = Severity.WARNING, f"an engine on `{machine}`"
        yield at_value(
            META,
            value,
            f"`DOCKER_HOST` hands the container control over {whose}",
            address,
            severity,
        )
