"""A gVisor runtime lets containers open pipes of the host.

## What it is

`--host-fifo=open` among the `runtimeArgs` of a runtime whose binary is `runsc`.

## Why it is bad

Named pipes in mounted folders are a way out to whoever reads them:

    echo 'do something' > /mnt/control.fifo

## What to do instead

Remove it.

## Under gVisor

It is about gVisor only: every container that runs under this runtime is concerned.
runsc 20240729 has the option; what it does is not tried, but taken from gVisor's documentation.

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
    id="daemon-runsc-host-fifo",
    summary="a gVisor runtime lets containers open pipes of the host",
    severity=Severity.WARNING,
    since="0.1.0",
    why="a program of the host that reads from a named pipe then reads from the container",
    needs=(Field("runtimes"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    yield from runsc_flag(
        META,
        subject,
        "host-fifo",
        "lets containers open named pipes of the host",
        "programs that talk through a mounted pipe stop working",
        values=("open",),
    )
