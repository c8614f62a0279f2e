"""A program on the host stands in for a service.

## What it is

`provider` on a Compose service: `docker compose` runs the plug-in `docker-TYPE` or the program `TYPE` of
the host instead of a container.

## Why it is bad

The file of the repository decides that a program starts on the host, and gives it its options.
Nothing of a container holds there: it runs with all your rights.

    database:
      provider:
        type: awesomecloud

## What to do instead

Start such a component by hand, or from a script that somebody reads. Allow it here with the reason if
the whole team uses it.

## Under gVisor

No difference: it runs outside of every container.

## References

- https://docs.docker.com/compose/how-tos/provider-services/
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
    id="compose-provider",
    summary="a program on the host stands in for a service",
    severity=Severity.WARNING,
    since="0.1.0",
    why="it runs on the host with all your rights, with options from the repository",
    needs=(Field("provider"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    if subject.provider is not None:
        message = (
            f"`{subject.provider.written}` is run on the host for the service `{subject.name}`"
        )
        yield at_value(META, subject.provider, message, subject.provider.value)
