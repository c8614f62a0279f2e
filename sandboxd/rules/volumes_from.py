"""All mounts of another container are taken over.

## What it is

`--volumes-from` or Compose `volumes_from`.

## Why it is bad

Whatever the other one mounts, now or after its next change, is here too: its socket, its keys,
its database. The file does not say what. For a service of the same Compose file, which can be read
there, it is a hint.

## What to do instead

Name the volumes that are needed, read-only where they are only read.

## Under gVisor

No difference.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#volumes-from
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
    from sandboxd.model.values import Value

META = RuleMeta(
    id="volumes-from",
    summary="all mounts of another container are taken over",
    severity=Severity.WARNING,
    since="0.1.0",
    why="what the other one mounts is here too, and the file does not say what",
    needs=(Field("volumes_from"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.volumes_from:
        yield at_value(
            META,
            value,
            f"everything that `{value.written}` mounts is in this container as well",
            value.value,
            Severity.HINT if _is_own_service(value) else Severity.WARNING,
            remedies=(
                Remedy(
                    "remove it",
                    safe=False,
                    changes=(Remove(value),),
                    caution="name the volumes that are needed",
                ),
            ),
        )


def _is_own_service(value: Value[str]) -> bool:
    """A name in Compose is one of its services; ``container:name`` is any container."""
    return value.origin.key == "volumes_from" and not value.value.startswith("container:")
