"""The memory limit can be doubled by swap.

## What it is

`--memory` without `--memory-swap`, or with `-1`.

## Why it is bad

Docker allows as much swap as memory then, with `-1` all there is. On a machine with swap the
limit slows the container and everything else instead of stopping it.

## What to do instead

The same number for both: `--memory=4g --memory-swap=4g`.

## Under gVisor

gVisor relies on the host's control groups for limits: no difference.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/containers/resource_constraints/#--memory-swap-details
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remedy, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._sizes import size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="memory-without-swap-limit",
    summary="the memory limit can be doubled by swap",
    severity=Severity.HINT,
    since="0.1.0",
    why="on a machine with swap the limit slows everything down instead of holding",
    needs=(Field("memory"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    memory, swap = subject.memory, subject.memory_swap
    if memory is None or (swap is not None and swap.value.strip() not in ("-1", "0")):
        return
    if memory.origin.key not in ("runArgs", "mem_limit") or not size(memory.value):
        return
    effect = (
        "all swap there is" if swap is not None and swap.value == "-1" else "as much swap again"
    )
    yield at_value(
        META,
        memory,
        f"beside `{memory.written}` of memory the container may use {effect}",
        "memory-swap",
        remedies=(
            Remedy(
                "allow no swap",
                safe=False,
                changes=(Add("memory_swap", memory.written),),
                caution="what needs more memory is ended",
            ),
        )
        if swap is None
        else (),
    )
