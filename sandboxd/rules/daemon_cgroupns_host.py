"""Containers see the host's control groups.

## What it is

`"default-cgroupns-mode": "host"`.

## Why it is bad

Each container then sees the tree of the whole machine. Together with SYS_ADMIN and control groups of
version 1 it is the way to the host:

    cat /proc/self/cgroup    # the host's own paths

## What to do instead

`"private"`, which is the default on control groups of version 2.

## Under gVisor

No difference: it is about the engine, not about what runs under it.

## References

- https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Replace, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.daemon_config import DaemonConfig

META = RuleMeta(
    id="daemon-cgroupns-host",
    summary="containers see the host's control groups",
    severity=Severity.WARNING,
    since="0.1.0",
    why="the names of all containers and services are visible, and one write mount is an escape",
    needs=(Field("values"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    value = subject.values.get("default-cgroupns-mode")
    if value is None or value.value != "host":
        return
    yield at_value(
        META,
        value,
        "`host` shows the control groups of the whole machine to every container",
        str(value.value),
        remedies=(
            Remedy(
                "set `default-cgroupns-mode` to `private`",
                safe=False,
                changes=(Replace(value, '"private"'),),
                caution="tools that read the host's control groups from inside see their own only",
            ),
        ),
    )
