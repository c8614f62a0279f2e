"""A gVisor runtime is open for profiling.

## What it is

`--profile` among the `runtimeArgs` of a runtime whose binary is `runsc`.

## Why it is bad

For the sake of the profiler the seccomp filter of the sandbox process lets more calls to the host's
kernel pass than a sandbox should:

    runsc --profile --profile-cpu=/tmp/cpu.prof run ...

## What to do instead

Remove it where real work is done.

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
    id="daemon-runsc-profile",
    summary="a gVisor runtime is open for profiling",
    severity=Severity.ERROR,
    since="0.1.0",
    why="the filter around gVisor's own kernel is loosened for a debugging aid",
    needs=(Field("runtimes"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    yield from runsc_flag(
        META,
        subject,
        "profile",
        "loosens the filter around gVisor's own kernel",
        "gVisor can no longer be profiled",
    )
