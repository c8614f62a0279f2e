"""The container starts with the machine.

## What it is

`--restart=always` or `unless-stopped` for a dev container.

## Why it is bad

It runs when nobody works in it: also right after login, and with whatever somebody put into it.

## What to do instead

Remove it: the editor starts the container when it is needed. For a server, it is right.

## Under gVisor

No difference.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#restart
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
    id="restart-always",
    summary="the container starts with the machine",
    severity=Severity.HINT,
    since="0.1.0",
    why="it runs when nobody works in it",
    needs=(Field("restart"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.restart
    if value is None or value.value not in ("always", "unless-stopped"):
        return
    if value.origin.key != "runArgs":
        return
    yield at_value(
        META,
        value,
        f"`{value.written}` starts the container with the machine, though nobody works in it",
        value.value,
        remedies=(
            Remedy(
                "let the editor start it",
                safe=False,
                changes=(Remove(value),),
                caution="after a restart it runs when the editor opens it",
            ),
        ),
    )
