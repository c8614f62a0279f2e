"""The container uses the host's network.

## What it is

`--network=host` or `--net=host` in `runArgs`.

## Why it is bad

There is no network of its own any more: the container reaches every service that listens on the
host's loopback (databases, debuggers, the editor, cloud metadata), which trust whoever can
connect. It also sees abstract Unix sockets of the host, which have no file permissions; an escape
through containerd's was CVE-2020-15257.

    curl http://127.0.0.1:9229/json    # the debugger of an editor or browser on the host

No firewall rule or proxy of a container network applies.

## What to do instead

Remove it: the container then has a bridge network. Publish what the host must reach with
`forwardPorts`, reach the host from inside by `host.docker.internal` with
`--add-host=host.docker.internal:host-gateway`.

## Under gVisor

What it does depends on the runtime's own `--network`: it can still be the host's network. It is
a warning, since sockets and loopback services are in question and not the kernel.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/network/drivers/host/
- https://nvd.nist.gov/vuln/detail/CVE-2020-15257
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Has
from sandboxd.rules._runtime import kernel_severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="host-network",
    summary="the container uses the host's network",
    severity=Severity.ERROR,
    since="0.1.0",
    why="services on the host's loopback trust whoever connects; no egress rule applies",
    needs=(Has("network", "host"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.network
    if value is None or value.value != "host":
        return
    yield at_value(
        META,
        value,
        "the container shares the host's network: all its loopback services are in reach",
        "host",
        kernel_severity(subject, host, Severity.ERROR, Severity.WARNING),
        (
            Remedy(
                "use a network of the container's own",
                safe=False,
                changes=(Remove(value),),
                caution="ports have to be forwarded, and `localhost` is no longer the host",
            ),
        ),
    )
