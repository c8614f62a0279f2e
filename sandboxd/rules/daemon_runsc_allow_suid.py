"""A gVisor runtime honours setuid programs.

## What it is

`--allow-suid` among the `runtimeArgs` of a runtime whose binary is `runsc`.

## Why it is bad

gVisor ignores the setuid bit by default, so a user inside stays one. Root inside owns what mounts and
capabilities allow it to:

    sudo -i

## What to do instead

Remove it, and install packages when the image is built. `no-new-privileges` does the same for one
container.

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
    id="daemon-runsc-allow-suid",
    summary="a gVisor runtime honours setuid programs",
    severity=Severity.WARNING,
    since="0.1.0",
    why="a normal user inside becomes root with `sudo` or a setuid program that has a bug",
    needs=(Field("runtimes"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    yield from runsc_flag(
        META,
        subject,
        "allow-suid",
        "honours the setuid bit",
        "`sudo` inside stops working",
    )
