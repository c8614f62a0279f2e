"""A gVisor runtime uses the platform that is no longer kept up.

## What it is

`--platform=ptrace` among the `runtimeArgs` of a runtime whose binary is `runsc`.

## Why it is bad

gVisor stops and starts processes by ptrace there, which was replaced by `systrap` in 2023 and is not
supported any more:

    runsc --platform=ptrace run ...

## What to do instead

Remove it (`systrap` is the default), or use `--platform=kvm` on machines of your own.

## Under gVisor

It is about gVisor only: every container that runs under this runtime is concerned.
runsc 20240729 has the option; what it does is not tried, but taken from gVisor's documentation.

## References

- https://gvisor.dev/docs/architecture_guide/platforms/
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
    id="daemon-runsc-platform-ptrace",
    summary="a gVisor runtime uses the platform that is no longer kept up",
    severity=Severity.WARNING,
    since="0.1.0",
    why="it gets no fixes, and is several times slower",
    needs=(Field("runtimes"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    yield from runsc_flag(
        META,
        subject,
        "platform",
        "uses a platform that is no longer supported",
        "nothing; newer versions refuse it",
        values=("ptrace",),
    )
