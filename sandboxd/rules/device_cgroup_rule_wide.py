"""A rule lets the container open any device.

## What it is

`--device-cgroup-rule` with type `a`, with disks (`b`), or with `*` for the number of a kind of
device.

## Why it is bad

Docker gives MKNOD by default: a process inside makes the node of the disk itself and opens it.
No device has to be passed in for that.

    mknod /tmp/d b 8 0 && debugfs /tmp/d

## What to do instead

Name the kind of device: `c 188:* rmw` for USB serial ports, `c 189:* rmw` for USB.

## Under gVisor

Nodes that are made inside do not open devices of the host; it is a hint.
Seen with runsc 20240729.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#device-cgroup-rule
- https://docs.kernel.org/admin-guide/devices.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._runtime import kernel_severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="device-cgroup-rule-wide",
    summary="a rule lets the container open any device",
    severity=Severity.ERROR,
    since="0.1.0",
    why="the container makes the node of the disk itself and reads every file",
    needs=(Field("device_cgroup_rules"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.device_cgroup_rules:
        kind, _, rest = value.value.strip().partition(" ")
        major = rest.strip().partition(":")[0]
        if kind == "a" or (kind in ("b", "c") and major == "*"):
            message = f"`{value.written}` opens every device of the host to the container"
        elif kind == "b":
            message = f"`{value.written}` opens disks of the host to the container"
        elif kind == "c" and major == "1":
            message = f"`{value.written}` opens the memory of the host to the container"
        else:
            continue
        yield at_value(
            META,
            value,
            message,
            value.value,
            kernel_severity(subject, host, Severity.ERROR, Severity.HINT),
            (
                Remedy(
                    "remove the rule",
                    safe=False,
                    changes=(Remove(value),),
                    caution="devices that are plugged in later cannot be opened",
                ),
            ),
        )
