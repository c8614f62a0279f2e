"""A gVisor runtime gives raw sockets.

## What it is

`--net-raw` among the `runtimeArgs` of a runtime whose binary is `runsc`.

## Why it is bad

gVisor takes NET_RAW from every container, whatever docker gave it. With this flag it is left, and a
process answers other containers' ARP and DNS requests:

    arpspoof -t 172.17.0.3 172.17.0.1

## What to do instead

Remove it. Docker inside of a container is the one use that needs it: register a runtime for that.

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
    id="daemon-runsc-net-raw",
    summary="a gVisor runtime gives raw sockets",
    severity=Severity.WARNING,
    since="0.1.0",
    why="every container may forge packets on the network that it shares with others",
    needs=(Field("runtimes"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    yield from runsc_flag(
        META,
        subject,
        "net-raw",
        "leaves the capability NET_RAW to containers",
        "`ping`, `tcpdump` and docker in docker stop working",
    )
