"""A gVisor runtime unpacks archives that containers name.

## What it is

`--allow-rootfs-tar-annotation` among the `runtimeArgs` of a runtime whose binary is `runsc`.

## Why it is bad

An annotation of the container then names a file of the host, which the runtime opens with its own
rights and shows to the container:

    --annotation=dev.gvisor.tar.rootfs.upper=/root/backup.tar

## What to do instead

Remove it.

## Under gVisor

It is about gVisor only: every container that runs under this runtime is concerned.
runsc 20240729 does not have the option; what it does is not tried, but taken from gVisor's source.

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
    id="daemon-runsc-allow-rootfs-tar-annotation",
    summary="a gVisor runtime unpacks archives that containers name",
    severity=Severity.WARNING,
    since="0.1.0",
    why="an annotation names a file of the host that becomes the container's root",
    needs=(Field("runtimes"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    yield from runsc_flag(
        META,
        subject,
        "allow-rootfs-tar-annotation",
        "opens files of the host that a container names",
        "containers that are restored from an archive stop starting",
    )
