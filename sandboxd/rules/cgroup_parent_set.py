"""The container leaves its place among the control groups.

## What it is

`--cgroup-parent` or Compose `cgroup_parent`.

## Why it is bad

Limits that an administrator put on all containers (`docker.slice`) do not hold for one that is
put elsewhere. Below `/` or `system.slice` it competes with the host's own services.

## What to do instead

Remove it; limit the container itself with `--memory`, `--cpus` and `--pids-limit`.

## Under gVisor

No difference: gVisor relies on the host's control groups for limits.
Seen with runsc 20240729.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#cgroup-parent
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
    id="cgroup-parent-set",
    summary="the container leaves its place among the control groups",
    severity=Severity.WARNING,
    since="0.1.0",
    why="limits that hold for all containers do not hold for this one",
    needs=(Field("cgroup_parent"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.cgroup_parent
    if value is None:
        return
    yield at_value(
        META,
        value,
        f"below `{value.written}`, limits that hold for all containers may not hold",
        value.value,
        remedies=(
            Remedy(
                "leave the place to the engine",
                safe=False,
                changes=(Remove(value),),
                caution="limits of that control group do not hold any more",
            ),
        ),
    )
