"""The output of the container is thrown away.

## What it is

The logging driver `none` (`--log-driver=none`, Compose `logging`).

## Why it is bad

`docker logs` has nothing to show. After an incident nobody can tell what the container did, or that it
failed at all.

## What to do instead

Leave the driver out, or `local`, which rotates by itself. To save space: `max-size` and `max-file`.

## Under gVisor

No difference.

## References

- https://docs.docker.com/engine/logging/configure/
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
    id="logs-discarded",
    summary="the output of the container is thrown away",
    severity=Severity.HINT,
    since="0.1.0",
    why="after an incident nobody can tell what it did",
    needs=(Field("log_driver"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.log_driver
    if value is not None and value.value == "none":
        yield at_value(
            META,
            value,
            f"`{value.written}` as the logging driver keeps nothing of what the container writes",
            "none",
            remedies=(
                Remedy(
                    "use the engine's own driver",
                    safe=False,
                    changes=(Remove(value),),
                    caution="the logs take space on the disk",
                ),
            ),
        )
