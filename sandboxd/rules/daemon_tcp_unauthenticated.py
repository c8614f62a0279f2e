"""The engine listens on the network without asking who calls.

## What it is

A `tcp://` address among `hosts` without `"tlsverify": true`.

## Why it is bad

The engine's API starts containers with any mount. On 127.0.0.1 it is open to every program and every
web page that finds a way around the browser's rules; on another address to the network:

    docker -H tcp://host:2375 run -v /:/host alpine chroot /host

## What to do instead

Remove the address and use SSH (`docker context create x --docker host=ssh://user@host`), or set
`tlsverify`, `tlscacert`, `tlscert` and `tlskey`.

## Under gVisor

No difference: it is about the engine, not about what runs under it.

## References

- https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
- https://docs.docker.com/engine/security/protect-access/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.daemon_config import DaemonConfig

META = RuleMeta(
    id="daemon-tcp-unauthenticated",
    summary="the engine listens on the network without asking who calls",
    severity=Severity.ERROR,
    since="0.1.0",
    why="whoever reaches the port is root on this machine",
    needs=(Field("lists"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    if subject.get("tlsverify") is True:
        return
    for value in subject.strings("hosts"):
        if value.value.startswith("tcp://"):
            yield at_value(
                META,
                value,
                f"`{value.value}` takes commands from everybody who reaches it: "
                "`tlsverify` is not on",
                value.value,
                remedies=(
                    Remedy(
                        "stop listening there",
                        safe=False,
                        changes=(Remove(value),),
                        caution="clients that use this address cannot connect",
                    ),
                ),
            )
