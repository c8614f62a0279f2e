"""A capability for tracing the kernel is added.

## What it is

`BPF`, `PERFMON` or `CHECKPOINT_RESTORE` is added.

## Why it is bad

BPF programs and performance counters see the whole kernel, not one container: with `PERFMON`
they read the host's memory and other containers' system calls. The verifier that keeps BPF
programs in bounds has had one privilege escalation after another (CVE-2021-3490, CVE-2023-2163).

## What to do instead

Trace from the host, where the tool sees the container all the same. For profiling one's own
program `perf_event_paranoid` of 1 or 2 and no capability are enough.

## Under gVisor

gVisor has no BPF and no performance events of the host; it is a hint.
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
    "BPF": ("loads programs into the host's kernel", Severity.WARNING),
    "PERFMON": ("reads what the whole host does", Severity.WARNING),
    "CHECKPOINT_RESTORE": ("reads and sets what the kernel keeps of processes", Severity.WARNING),
}

META = RuleMeta(
    id="cap-add-bpf-perfmon",
    summary="a capability for tracing the kernel is added",
    severity=Severity.WARNING,
    since="0.1.0",
    why="tracing sees the whole host, and its verifier is a known way to root",
    needs=needs(EFFECTS),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    yield from added(
        META, subject, host, EFFECTS, Severity.HINT, "tracing from inside stops working"
    )
