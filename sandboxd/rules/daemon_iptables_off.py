"""The engine sets no firewall rules.

## What it is

`"iptables": false`.

## Why it is bad

People set it so that docker leaves their firewall alone. It then also leaves out what keeps networks
apart (`internal`, `icc`), and containers reach each other and the network as routing has it:

    docker network create --internal x    # is not internal any more

## What to do instead

Remove it, and put rules of your own into the chain `DOCKER-USER`.

## Under gVisor

No difference: it is about the engine, not about what runs under it.

## References

- https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
- https://docs.docker.com/engine/network/packet-filtering-firewalls/
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
    id="daemon-iptables-off",
    summary="the engine sets no firewall rules",
    severity=Severity.WARNING,
    since="0.1.0",
    why="nothing separates the networks of containers, and published ports lose their bounds",
    needs=(Field("values"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    value = subject.values.get("iptables")
    if value is None or value.value is not False:
        return
    yield at_value(
        META,
        value,
        "`iptables` is off: networks of containers are not separated",
        str(value.value),
        remedies=(
            Remedy(
                "remove `iptables`",
                safe=False,
                changes=(Remove(value),),
                caution="docker adds its firewall rules again",
            ),
        ),
    )
