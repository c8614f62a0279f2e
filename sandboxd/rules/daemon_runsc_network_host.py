"""A gVisor runtime uses the host kernel's network stack.

## What it is

`--network=host` among the `runtimeArgs` of a runtime whose binary is `runsc`.

## Why it is bad

gVisor has a network stack of its own. With this flag sockets are passed through: the container stays
in the network namespace that docker gave it, but a bug in the host's TCP code is in its reach, and
with docker's own `--network=host` the host's services are, too.

    docker run --runtime=runsc-hostnet --network=host ...

## What to do instead

Remove it, if containers start without it. On some newer kernels older versions of gVisor do not:
update gVisor, or keep it and allow it here.

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
    id="daemon-runsc-network-host",
    summary="a gVisor runtime uses the host kernel's network stack",
    severity=Severity.HINT,
    since="0.1.0",
    why="packets are handled by the host's kernel, which gVisor otherwise keeps out of reach",
    needs=(Field("runtimes"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    yield from runsc_flag(
        META,
        subject,
        "network",
        "uses the network stack of the host's kernel",
        "containers do not start on kernels that this gVisor does not know",
        values=("host",),
    )
