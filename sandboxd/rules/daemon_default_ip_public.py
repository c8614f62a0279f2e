"""Published ports are open to the network.

## What it is

`ip` is not set to a loopback address.

## Why it is bad

A port that is published without an address listens on all of them, and docker's rules go before those
of ufw and firewalld:

    docker run -p 5432:5432 postgres    # for the whole café

## What to do instead

`"ip": "127.0.0.1"`. A port that is meant for others still can say so: `-p 0.0.0.0:80:80`.

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
    id="daemon-default-ip-public",
    summary="published ports are open to the network",
    severity=Severity.HINT,
    since="0.1.0",
    why="`-p 8080:80` is reachable from everywhere, past most firewalls",
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    value = subject.get("ip")
    if not isinstance(value, str) or not value.startswith(("127.", "::1")):
        message = "`ip` is not a loopback address: published ports are open to the network"
        caution = "ports that others use have to be published with an address"
        yield missing(META, subject, "ip", '"127.0.0.1"', message, caution)
