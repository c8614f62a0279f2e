"""A capability over hardware, clock or security modules is added.

## What it is

One of `SYS_RAWIO`, `SYS_BOOT`, `SYS_TIME`, `SYSLOG`, `MAC_ADMIN`, `MAC_OVERRIDE`, `WAKE_ALARM`
or `LINUX_IMMUTABLE` is added.

## Why it is bad

None of these is namespaced: what they change, they change for the host.

- `SYS_RAWIO`: I/O ports and raw device commands, with which memory and disks can be written.
- `SYS_TIME`: the clock of the host, on which certificates and logs rest.
- `SYSLOG`: the kernel's log and its addresses, the first thing an exploit needs.
- `MAC_ADMIN`, `MAC_OVERRIDE`: the policy of Smack.
- `SYS_BOOT`, `WAKE_ALARM`, `LINUX_IMMUTABLE`: reboot, wake-ups, file attributes.

## What to do instead

Remove it. Time and kernel settings belong to the host's own configuration.

## Under gVisor

They act on gVisor's own kernel; it is a hint.
Seen with runsc 20240729.

## References

- https://man7.org/linux/man-pages/man7/capabilities.7.html
- https://github.com/moby/profiles/blob/main/seccomp/default.json
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._capabilities import added, needs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

EFFECTS = {
    "SYS_RAWIO": ("gives access to I/O ports and raw disk commands of the host", Severity.ERROR),
    "SYS_BOOT": ("lets the container ask the kernel for a reboot", Severity.WARNING),
    "SYS_TIME": ("sets the clock of the host", Severity.WARNING),
    "SYSLOG": ("shows the kernel's log and its addresses", Severity.WARNING),
    "MAC_ADMIN": ("changes the policy of the host's security module", Severity.WARNING),
    "MAC_OVERRIDE": ("gets around the policy of the host's security module", Severity.WARNING),
    "WAKE_ALARM": ("sets wake-up timers of the host", Severity.WARNING),
    "LINUX_IMMUTABLE": ("makes files immutable, those of the host as well", Severity.WARNING),
}

META = RuleMeta(
    id="cap-add-sys-rawio",
    summary="a capability over hardware, clock or security modules is added",
    severity=Severity.ERROR,
    since="0.1.0",
    why="what it changes is changed for the host, since none of this is namespaced",
    needs=needs(EFFECTS),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    yield from added(META, subject, host, EFFECTS, Severity.HINT, "what uses it stops working")
