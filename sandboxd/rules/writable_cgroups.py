"""The control groups are writable.

## What it is

`writable-cgroups=true` as a security option (Docker 28 and newer).

## Why it is bad

The container writes its own control group, and so its own limits. On hosts with cgroup v1 a
writable hierarchy is a known escape: `release_agent` runs a program as root on the host
(CVE-2022-0492).

    echo 100% > /sys/fs/cgroup/memory.max

## What to do instead

Remove it. What needs it, systemd or nested containers, belongs into a virtual machine or into
gVisor.

## Under gVisor

The control groups inside are gVisor's own; it is a hint.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/release-notes/28/
- https://nvd.nist.gov/vuln/detail/CVE-2022-0492
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
    id="writable-cgroups",
    summary="the control groups are writable",
    severity=Severity.WARNING,
    since="0.1.0",
    why="the container sets its own limits, and with cgroup v1 it gets out",
    needs=(Has("security_opt", "writable-cgroups"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.option("writable-cgroups")
    if value is None or value.value.value not in ("true", "1", "t", "T", "TRUE", "True"):
        return
    yield at_value(
        META,
        value,
        f"`{value.written}` lets the container change its own limits",
        "writable-cgroups",
        kernel_severity(subject, host, Severity.WARNING, Severity.HINT),
        (
            Remedy(
                "keep the control groups read-only",
                safe=False,
                changes=(Remove(value),),
                caution="systemd inside stops working",
            ),
        ),
    )
