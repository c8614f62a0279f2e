"""A gVisor runtime lets packet sockets write.

## What it is

`--allow-packet-socket-write` among the `runtimeArgs` of a runtime whose binary is `runsc`.

## Why it is bad

Packet sockets write whole frames, sender and all, past the network stack. gVisor reads from them only
unless told otherwise:

    sendp(Ether(src="gateway")/ARP(...))

## What to do instead

Remove it. Docker 28 and newer inside of a container needs it: register a runtime for that.

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
    id="daemon-runsc-packet-write",
    summary="a gVisor runtime lets packet sockets write",
    severity=Severity.WARNING,
    since="0.1.0",
    why="frames of any content reach the network that containers share",
    needs=(Field("runtimes"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    yield from runsc_flag(
        META,
        subject,
        "allow-packet-socket-write",
        "lets containers write whole frames",
        "docker in docker stops working",
    )
