"""The container is given the engine's API.

## What it is

Compose `use_api_socket: true` or `--use-api-socket`. It mounts the engine's socket and, as a
secret, the logins of every registry that you use.

## Why it is bad

The API starts a privileged container with the host's disk in it, so whoever has it owns the
host; see docker-socket-mounted. The logins push images in your name. Docker Desktop's own
isolation did not stop it (CVE-2026-6406).

## What to do instead

Remove it. To build images inside, use a builder without root or an engine in a virtual machine.

## Under gVisor

gVisor does not connect to sockets of the host, but the logins are there: a warning.
Seen with runsc 20240729.

## References

- https://github.com/compose-spec/compose-spec/blob/main/05-services.md#use_api_socket
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._runtime import host_sockets_open, shares_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="docker-api-socket-option",
    summary="the container is given the engine's API and your registry logins",
    severity=Severity.ERROR,
    since="0.1.0",
    why="through it anyone inside starts a privileged container and pushes images in your name",
    needs=(Field("api_socket"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.api_socket
    if value is None or not value.value:
        return
    reached = shares_kernel(subject, host) or host_sockets_open(subject, host)
    yield at_value(
        META,
        value,
        "the container gets the engine's API and the logins of your registries",
        "use-api-socket",
        Severity.ERROR if reached else Severity.WARNING,
        (
            Remedy(
                "keep the API outside",
                safe=False,
                changes=(Remove(value),),
                caution="`docker` inside the container stops working",
            ),
        ),
    )
