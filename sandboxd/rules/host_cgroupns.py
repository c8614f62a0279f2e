"""The container sees the host's control groups.

## What it is

`--cgroupns=host`, Compose `cgroup: host`. It is docker's default only on hosts with cgroup v1.

## Why it is bad

The tree of all control groups is in sight: names and limits of every container and service of
the host. Where it is writable as well (`privileged`, `SYS_ADMIN`) a process moves itself out of
its limits, and with cgroup v1 it gets out (CVE-2022-0492).

    cat /proc/self/cgroup    # the full path on the host

## What to do instead

Remove it. systemd inside works with a namespace of its own since version 247.

## Under gVisor

gVisor has control groups of its own; it is a hint.
Seen with runsc 20240729.

## References

- https://docs.docker.com/reference/cli/docker/container/run/
- https://man7.org/linux/man-pages/man7/cgroup_namespaces.7.html
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
    id="host-cgroupns",
    summary="the container sees the host's control groups",
    severity=Severity.WARNING,
    since="0.1.0",
    why="names and limits of all containers are in sight, and the limits can be left with one more right",
    needs=(Has("cgroupns", "host"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.cgroupns
    if value is None or value.value != "host":
        return
    severity = kernel_severity(subject, host, Severity.WARNING, Severity.HINT)
    if host.cgroup_version == "1":
        # There it is the default.
        severity = Severity.HINT
    yield at_value(
        META,
        value,
        "the container sees the control groups of the whole host",
        "host",
        severity,
        (
            Remedy(
                "use control groups of its own",
                safe=False,
                changes=(Remove(value),),
                caution="old versions of systemd inside do not start",
            ),
        ),
    )
