"""Containers of the default network reach each other.

## What it is

`icc` is not `false`.

## Why it is bad

All containers without a network of their own share one bridge, and talk to each other on every port:

    nmap 172.17.0.0/16

## What to do instead

`"icc": false`, and a network of its own for containers that belong together.

## Under gVisor

No difference: it is about the engine, not about what runs under it.

## References

- https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._daemon import missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.daemon_config import DaemonConfig

META = RuleMeta(
    id="daemon-icc-on",
    summary="containers of the default network reach each other",
    severity=Severity.HINT,
    since="0.1.0",
    why="a sandbox reaches databases and tools of other projects that were meant for the host only",
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    if subject.get("icc") is not False:
        message = "`icc` is not off: containers of the default network reach each other"
        caution = "containers that talk over the default network need one of their own"
        yield missing(META, subject, "icc", "false", message, caution)
