"""A capability is added that reaches past the container's own processes.

## What it is

One of `AUDIT_CONTROL`, `AUDIT_READ`, `IPC_LOCK`, `IPC_OWNER`, `LEASE`, `BLOCK_SUSPEND`, `SYS_NICE`,
`SYS_PACCT`, `SYS_RESOURCE` or `SYS_TTY_CONFIG` is added, which docker does not give by default.

## Why it is bad

None of them opens a file of the host by itself; each takes away something that keeps a container in its
place.

- `AUDIT_CONTROL`, `AUDIT_READ`: the audit log of the host can be switched off, or read.
- `SYS_RESOURCE`: limits of processes and open files are no limits any more.
- `IPC_LOCK`: memory is locked and cannot be swapped out, until the host has none left.
- `SYS_NICE`: priorities above those of the host's own programs, which then wait.
- `IPC_OWNER`: shared memory of others can be read, where the IPC namespace is shared.
- `LEASE`: whoever opens a file that is mounted waits for the container.
- `SYS_PACCT`, `SYS_TTY_CONFIG`, `BLOCK_SUSPEND`: accounting, terminals and sleep of the host.

## What to do instead

Remove it unless the program says what it needs it for. For locked memory, a limit does:
`--ulimit memlock=67108864`. For more open files: `--ulimit nofile=65536`.

## Under gVisor

They act on gVisor's own kernel; it is a hint.
Seen with runsc 20240729.

## References

- https://man7.org/linux/man-pages/man7/capabilities.7.html
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
    "AUDIT_CONTROL": ("switches the audit log of the host off", Severity.WARNING),
    "AUDIT_READ": ("reads the audit log of the host", Severity.WARNING),
    "BLOCK_SUSPEND": ("keeps the host from going to sleep", Severity.HINT),
    "IPC_LOCK": ("locks memory until the host has none left", Severity.HINT),
    "IPC_OWNER": ("opens the shared memory of others in its IPC namespace", Severity.HINT),
    "LEASE": ("makes others wait who open a file that is mounted", Severity.HINT),
    "SYS_NICE": ("goes before the host's own programs", Severity.HINT),
    "SYS_PACCT": ("switches process accounting", Severity.HINT),
    "SYS_RESOURCE": ("lifts its own limits of processes and open files", Severity.HINT),
    "SYS_TTY_CONFIG": ("hangs up terminals", Severity.HINT),
}

META = RuleMeta(
    id="cap-add-kernel-wide",
    summary="a capability is added that reaches past the container's own processes",
    severity=Severity.WARNING,
    since="0.1.0",
    why="what holds a container in its place for everybody else holds less",
    needs=needs(EFFECTS),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    yield from added(META, subject, host, EFFECTS, Severity.HINT, "what uses it stops working")
