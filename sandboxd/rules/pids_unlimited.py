"""The limit on processes is taken away.

## What it is

`--pids-limit=-1` or `0`, or Compose `pids_limit: -1`.

## Why it is bad

The engine may have a limit of its own, which this takes away for the container. A loop that
forks then takes the machine down.

## What to do instead

A number: `--pids-limit=4096`.

## Under gVisor

gVisor relies on the host's control groups for limits: no difference.
Seen with runsc 20240729.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#pids-limit
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Replace, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="pids-unlimited",
    summary="the limit on processes is taken away",
    severity=Severity.WARNING,
    since="0.1.0",
    why="a loop that forks takes the machine down, whatever the engine's own limit",
    needs=(Field("pids_limit"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.pids_limit
    if value is None or value.value > 0:
        return
    yield at_value(
        META,
        value,
        f"`{value.written}` takes the limit on processes away",
        "pids-limit",
        remedies=(
            Remedy(
                "allow 4096 processes",
                safe=False,
                changes=(Replace(value, "4096"),),
                caution="programs with more processes and threads fail",
            ),
        ),
    )
