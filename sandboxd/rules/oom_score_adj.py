"""The container is spared when memory runs out.

## What it is

`--oom-score-adj` of -500 or less.

## Why it is bad

When memory runs out the kernel ends what has the highest score: with this, programs of the host
go first, down to the engine and the SSH server.

## What to do instead

Remove it. A positive number makes the container go first.

## Under gVisor

gVisor's own process gets the score: no difference.
Not tried on a build.

## References

- https://docs.docker.com/reference/cli/docker/container/run/
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
    id="oom-score-adj",
    summary="the container is spared when memory runs out",
    severity=Severity.WARNING,
    since="0.1.0",
    why="programs of the host are ended before it",
    needs=(Field("oom_score_adj"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.oom_score_adj
    if value is None or value.value > -500:
        return
    yield at_value(
        META,
        value,
        f"with `{value.written}`, programs of the host are ended before the container's",
        "oom-score-adj",
        remedies=(
            Remedy(
                "remove it",
                safe=False,
                changes=(Remove(value),),
                caution="the container may be ended first",
            ),
        ),
    )
