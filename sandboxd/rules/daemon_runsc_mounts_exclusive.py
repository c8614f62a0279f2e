"""A gVisor runtime takes mounted folders for its own.

## What it is

`--file-access-mounts=exclusive` among the `runtimeArgs` of a runtime whose binary is `runsc`.

## Why it is bad

The runtime then caches what it has read for good. A workspace is edited from both sides: an editor
saves on the host, and the compiler inside reads the old size with the new content.

    git pull    # on the host: the container sees half of it

## What to do instead

Remove it; `shared` is the default. For speed put hot folders (`node_modules`, `target`) on a tmpfs.

## Under gVisor

It is about gVisor only: every container that runs under this runtime is concerned.
Seen with runsc 20240729.

## References

- https://gvisor.dev/docs/user_guide/quick_start/docker/
- https://github.com/google/gvisor/blob/master/runsc/config/flags.go
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._daemon import runsc_flag
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.daemon_config import DaemonConfig

META = RuleMeta(
    id="daemon-runsc-mounts-exclusive",
    summary="a gVisor runtime takes mounted folders for its own",
    severity=Severity.WARNING,
    since="0.1.0",
    why="files that are edited on the host show stale or torn content inside, and are overwritten",
    needs=(Field("runtimes"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    yield from runsc_flag(
        META,
        subject,
        "file-access-mounts",
        "takes for granted that nobody else changes mounted files",
        "builds read mounted files more slowly",
        values=("exclusive",),
    )
