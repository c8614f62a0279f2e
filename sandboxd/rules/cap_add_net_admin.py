"""The capability NET_ADMIN is added.

## What it is

`"capAdd": ["NET_ADMIN"]` or `--cap-add=NET_ADMIN`. Templates with a firewall inside the
container ask for it, and VPN clients.

## Why it is bad

It is namespaced: with a network of its own the container changes only its own interfaces. But it
opens netfilter, traffic control and a dozen tunnel drivers, where most privilege escalations of
the last years were found (CVE-2022-32250, CVE-2024-1086). And a firewall inside the container
holds only as long as nobody inside may change it:

    sudo iptables -F    # the allow-list for the coding agent is gone

With the host's network it rules over the host's interfaces, routes and firewall: an error.

## What to do instead

Put the firewall outside: a network without a way out (`internal: true`) and a proxy in a
container of its own. For a VPN, run it on the host or in a container of its own.

Where a hook or the image of the project needs it itself, no fix is offered: it would break the project.

## Under gVisor

The network stack is gVisor's, and the host's kernel is not reached; it is a hint, unless the
container is on the host's network.
Seen with runsc 20240729.

## References

- https://man7.org/linux/man-pages/man7/capabilities.7.html
- https://nvd.nist.gov/vuln/detail/CVE-2024-1086
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Has
from sandboxd.rules._runtime import kernel_severity
from sandboxd.rules._uses import user_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="cap-add-net-admin",
    summary="the capability NET_ADMIN is added",
    severity=Severity.ERROR,
    since="0.1.0",
    why="netfilter is where most kernel exploits of the last years start, and a firewall inside can be flushed",
    needs=(Has("cap_add", "NET_ADMIN"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    on_host = subject.network is not None and subject.network.value == "host"
    for value in subject.cap_add:
        if value.value != "NET_ADMIN":
            continue
        if on_host:
            message = (
                f"`{value.written}` on the host's network rules over its interfaces and firewall"
            )
        else:
            message = (
                f"`{value.written}` opens netfilter and lets the container drop its own firewall"
            )
        user = user_of(subject, "NET_ADMIN")
        if user:
            message += f"; there is no fix, as {user} needs it"
        yield at_value(
            META,
            value,
            message,
            "NET_ADMIN",
            kernel_severity(
                subject,
                host,
                Severity.ERROR if on_host else Severity.WARNING,
                Severity.WARNING if on_host else Severity.HINT,
            ),
            ()
            if user
            else (
                Remedy(
                    "do not add NET_ADMIN",
                    safe=False,
                    changes=(Remove(value),),
                    caution="firewalls and tunnels inside stop working",
                ),
            ),
        )
