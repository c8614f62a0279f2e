"""A gVisor runtime runs without root.

## What it is

`--rootless` among the `runtimeArgs` of a runtime whose binary is `runsc`.

## Why it is bad

Under a Docker engine that runs as root, this makes the runtime give up rights that it uses to build
the sandbox: its own namespaces and limits.

    runsc --rootless run ...

## What to do instead

Remove it under an engine that runs as root; a rootless engine sets it by itself.

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
    id="daemon-runsc-rootless",
    summary="a gVisor runtime runs without root",
    severity=Severity.WARNING,
    since="0.1.0",
    why="parts of the isolation need root and are left out without a word",
    needs=(Field("runtimes"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    yield from runsc_flag(
        META,
        subject,
        "rootless",
        "leaves out what needs root",
        "nothing, where the engine runs as root",
    )
