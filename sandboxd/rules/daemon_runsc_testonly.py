"""A gVisor runtime runs without its own isolation.

## What it is

`--TESTONLY-unsafe-nonroot` among the `runtimeArgs` of a runtime whose binary is `runsc`.

## Why it is bad

gVisor's second wall is the empty, nearly powerless process that its kernel runs in. This flag, meant
for gVisor's own tests, leaves it out: "skips many security measures", says its help.

    runsc --TESTONLY-unsafe-nonroot run ...

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
    id="daemon-runsc-testonly",
    summary="a gVisor runtime runs without its own isolation",
    severity=Severity.ERROR,
    since="0.1.0",
    why="the sandbox process keeps the rights of who started it: a bug in gVisor is a bug of the host",
    needs=(Field("runtimes"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    yield from runsc_flag(
        META,
        subject,
        "TESTONLY-unsafe-nonroot",
        "leaves out the sandbox around gVisor's own kernel",
        "nothing but hosts on which gVisor could not start otherwise",
    )
