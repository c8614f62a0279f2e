"""A gVisor runtime lets containers set its flags.

## What it is

`--allow-flag-override` among the `runtimeArgs` of a runtime whose binary is `runsc`.

## Why it is bad

Annotations `dev.gvisor.flag.*` of a container set flags of the runtime. Without this flag only a few
harmless ones are taken. With it a devcontainer.json decides on the sandbox that is to hold it:

    "runArgs": ["--annotation=dev.gvisor.flag.network=host"]

## What to do instead

Remove it, and register one runtime for each set of flags that is needed.

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
    id="daemon-runsc-flag-override",
    summary="a gVisor runtime lets containers set its flags",
    severity=Severity.ERROR,
    since="0.1.0",
    why="an annotation in any config then switches off what this file switches on",
    needs=(Field("runtimes"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    yield from runsc_flag(
        META,
        subject,
        "allow-flag-override",
        "lets any container choose the sandbox's flags",
        "containers that set flags by annotation stop starting",
    )
