"""The capability NET_RAW is added.

## What it is

`"capAdd": ["NET_RAW"]` or `--cap-add=NET_RAW`. Docker gives it by default; adding it only
matters where all capabilities are dropped.

## Why it is bad

Raw and packet sockets read and forge every packet of the container's network: other containers
on the same bridge can be listened to and impersonated. Packet sockets were a way to root of the
host (CVE-2020-14386). On the host's network it reads the host's own traffic.

## What to do instead

`ping` works without it on engines since 20.10 (`net.ipv4.ping_group_range`). For `tcpdump`, add
it for the hour in which it is needed.

## Under gVisor

gVisor takes it away unless it is started with `--net-raw`; it is a hint.
Seen with runsc 20240729.

## References

- https://man7.org/linux/man-pages/man7/capabilities.7.html
- https://nvd.nist.gov/vuln/detail/CVE-2020-14386
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
    id="cap-add-net-raw",
    summary="the capability NET_RAW is added",
    severity=Severity.WARNING,
    since="0.1.0",
    why="packets of other containers on the network can be read and forged",
    needs=(Has("cap_add", "NET_RAW"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    on_host = subject.network is not None and subject.network.value == "host"
    for value in subject.cap_add:
        if value.value != "NET_RAW":
            continue
        whose = "the host" if on_host else "its network"
        yield at_value(
            META,
            value,
            f"`{value.written}` reads and forges the packets of {whose}",
            "NET_RAW",
            kernel_severity(
                subject, host, Severity.WARNING if on_host else Severity.HINT, Severity.HINT
            ),
            (
                Remedy(
                    "do not add NET_RAW",
                    safe=False,
                    changes=(Remove(value),),
                    caution="`tcpdump` and other raw sockets stop working",
                ),
            ),
        )
