"""All ports of the image are published.

## What it is

`--publish-all` or `-P`.

## Why it is bad

Every port that the image declares is open on all addresses of the machine, past its firewall,
under numbers that change. What the image declares may change with its next version.

## What to do instead

Name the ports that are needed, with an address: `-p 127.0.0.1:8080:80`.

## Under gVisor

No difference.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#publish
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
    from sandboxd.model.container import Container

META = RuleMeta(
    id="publish-all",
    summary="all ports of the image are published",
    severity=Severity.WARNING,
    since="0.1.0",
    why="whatever the image declares is open to the network",
    needs=(Field("publish_all"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.publish_all
    if value is None or not value.value:
        return
    yield at_value(
        META,
        value,
        "every port that the image declares is open on every address of this machine",
        "publish-all",
        remedies=(
            Remedy(
                "publish nothing of itself",
                safe=False,
                changes=(Remove(value),),
                caution="name the ports that are needed",
            ),
        ),
    )
