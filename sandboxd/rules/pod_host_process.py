"""A container runs as a process of its Windows node.

## What it is

`windowsOptions.hostProcess: true` of a Pod or a container.

## Why it is bad

It is no container: the program has the node's files, network and devices, as `privileged` has on Linux, and
may run as `NT AUTHORITY\\SYSTEM`.

## What to do instead

Keep it for what installs the node itself; everything else runs without.

## Under gVisor

gVisor does not run on Windows.
Not tried on a build.

## References

- https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/
- https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline
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
    from sandboxd.model.pod import PodContainer

META = RuleMeta(
    id="pod-host-process",
    summary="a container runs as a process of its Windows node",
    severity=Severity.ERROR,
    since="0.1.0",
    why="it has all files, the network and the devices of the node",
    needs=(Field("host_process"),),
)


def check(subject: PodContainer, host: HostFacts) -> Iterator[Finding]:
    value = subject.host_process
    if value is None or not value.value:
        return
    yield at_value(
        META,
        value,
        f"`{subject.name}` runs as a process of the node, with all of its files",
        subject.name,
        remedies=(
            Remedy(
                "run it as a container",
                safe=False,
                changes=(Replace(value, "false"),),
                caution="what it does on the node stops working",
            ),
        ),
    )
