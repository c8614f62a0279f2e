"""A gVisor runtime sets no limits.

## What it is

`--ignore-cgroups` among the `runtimeArgs` of a runtime whose binary is `runsc`.

## Why it is bad

gVisor leaves limits to the host's control groups. Without them one container takes the machine down:

    tail /dev/zero

## What to do instead

Remove it. Where control groups cannot be used (rootless on cgroup v1) say so beside it.

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
    id="daemon-runsc-ignore-cgroups",
    summary="a gVisor runtime sets no limits",
    severity=Severity.WARNING,
    since="0.1.0",
    why="memory, CPU and process limits of containers are without effect",
    needs=(Field("runtimes"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    yield from runsc_flag(
        META,
        subject,
        "ignore-cgroups",
        "ignores every limit of containers",
        "containers stop starting where control groups are not available",
    )
