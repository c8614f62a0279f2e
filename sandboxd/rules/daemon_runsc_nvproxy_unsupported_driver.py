"""A gVisor runtime forwards to a GPU driver that it does not know.

## What it is

`--nvproxy-allow-unsupported-driver` among the `runtimeArgs` of a runtime whose binary is `runsc`.

## Why it is bad

`nvproxy` passes on only the commands of drivers that were looked at. With this flag it guesses:

    ioctl(nvidia_fd, UNKNOWN_COMMAND, ...)

## What to do instead

Use a driver that `runsc nvproxy list-supported-drivers` names.

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
    id="daemon-runsc-nvproxy-unsupported-driver",
    summary="a gVisor runtime forwards to a GPU driver that it does not know",
    severity=Severity.WARNING,
    since="0.1.0",
    why="commands whose meaning is not known are passed on to the host's driver",
    needs=(Field("runtimes"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    yield from runsc_flag(
        META,
        subject,
        "nvproxy-allow-unsupported-driver",
        "forwards commands to a driver that it does not know",
        "containers with a GPU stop starting on other drivers",
    )
