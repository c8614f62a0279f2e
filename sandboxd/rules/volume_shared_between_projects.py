"""A volume is shared with every project that names it.

## What it is

A named volume of a devcontainer.json without `${devcontainerId}` or another name of its own.

## Why it is bad

Two containers with the same volume name have the same files. What one project puts into a shared
cache of packages or tools, the other runs.

## What to do instead

Make the name the project's own: `source=${devcontainerId}-cache,target=/cache,type=volume`.
Where sharing is meant, share what is only read.

## Under gVisor

No difference: the volume is outside of both sandboxes.

## References

- https://containers.dev/implementors/json_reference/#variables-in-devcontainerjson
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
    id="volume-shared-between-projects",
    summary="a volume is shared with every project that names it",
    severity=Severity.HINT,
    since="0.1.0",
    why="what one project puts into the volume, the others run",
    needs=(Field("mounts"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for mount in subject.mounts:
        source, key = mount.value.source, mount.origin.key
        if mount.value.type != "volume" or not source or key not in ("mounts", "runArgs"):
            continue
        # A variable makes the name a project's own.
        if "$" in mount.written:
            continue
        yield at_value(
            META,
            mount,
            f"every project that names the volume `{source}` has the same files",
            source,
        )
