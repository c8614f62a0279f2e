"""A gVisor runtime lets containers use sockets of the host.

## What it is

`--host-uds=open`, `create` or `all` among the `runtimeArgs` of a runtime whose binary is `runsc`.

## Why it is bad

By default a connection from inside to a socket of the host is refused, even to one that is mounted.
With this flag every mounted socket answers, the engine's among them:

    curl --unix-socket /var/run/docker.sock http://x/containers/json

## What to do instead

Remove it. For one trusted container register a second runtime with the flag, under a name that says so.

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
    id="daemon-runsc-host-uds",
    summary="a gVisor runtime lets containers use sockets of the host",
    severity=Severity.ERROR,
    since="0.1.0",
    why="a mounted docker.sock, which gVisor keeps shut by default, hands over the host",
    needs=(Field("runtimes"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    yield from runsc_flag(
        META,
        subject,
        "host-uds",
        "lets containers connect to sockets of the host",
        "containers that use a mounted socket stop working",
        values=("open", "create", "all"),
    )
