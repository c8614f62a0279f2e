"""A gVisor runtime logs what containers do.

## What it is

`--debug`, `--strace` or `--log-packets` among the `runtimeArgs` of a runtime whose binary is `runsc`.

## Why it is bad

The logs hold every system call with its arguments: tokens in command lines, what is written to
sockets. They lie in a folder that is often readable by all (`/tmp/runsc`), grow without bound, and
slow everything down.

    grep -r Bearer /tmp/runsc/

## What to do instead

Remove it when the fault is found; give `--debug-log` a folder that only root reads.

## Under gVisor

It is about gVisor only: every container that runs under this runtime is concerned.
runsc 20240729 has the option; what it does is not tried, but taken from gVisor's documentation.

## References

- https://gvisor.dev/docs/user_guide/debugging/
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
    id="daemon-runsc-debug",
    summary="a gVisor runtime logs what containers do",
    severity=Severity.WARNING,
    since="0.1.0",
    why="arguments, environment and data of every program stand in a file of the host",
    needs=(Field("runtimes"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    for flag in ("debug", "strace", "log-packets"):
        yield from runsc_flag(
            META,
            subject,
            flag,
            "writes down what containers do, secrets among it",
            "there is no log to look into",
        )
