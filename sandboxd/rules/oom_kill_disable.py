"""The kernel may not end the container's processes.

## What it is

`--oom-kill-disable`.

## Why it is bad

When the memory limit is reached, processes hang instead of being ended; without a limit the
kernel ends those of the host instead. (With cgroup v2 the engine ignores the option.)

## What to do instead

Remove it, and give the container the memory that it needs.

## Under gVisor

gVisor relies on the host's control groups: no difference.
Not tried on a build.

## References

- https://docs.docker.com/engine/containers/resource_constraints/
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
    from sandboxd.model.container import Container

META = RuleMeta(
    id="oom-kill-disable",
    summary="the kernel may not end the container's processes",
    severity=Severity.WARNING,
    since="0.1.0",
    why="when memory runs out, programs of the host are ended instead",
    needs=(Field("oom_kill_disable"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.oom_kill_disable
    if value is None or not value.value:
        return
    yield at_value(
        META,
        value,
        "when memory runs out, programs of the host are ended instead of the container's",
        "oom-kill-disable",
        Severity.HINT if host.cgroup_version == "2" else Severity.WARNING,
        (
            Remedy(
                "remove it",
                safe=False,
                changes=(Remove(value),),
                caution="a process that takes too much memory is ended",
            ),
        ),
    )
