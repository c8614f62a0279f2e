"""The shared memory is very large.

## What it is

`--shm-size` of more than 16 GiB.

## Why it is bad

Shared memory is not counted until it is used, and then it is memory of the machine: a loop that
writes to `/dev/shm` fills it, unless a memory limit holds.

## What to do instead

As much as is needed, and a memory limit: `--shm-size=8g --memory=16g`.

## Under gVisor

gVisor keeps it in its own memory: no difference.
Seen with runsc 20240729.

## References

- https://docs.docker.com/reference/cli/docker/container/run/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._sizes import size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="shm-size-huge",
    summary="the shared memory is very large",
    severity=Severity.HINT,
    since="0.1.0",
    why="a loop that writes to /dev/shm fills the machine's memory",
    needs=(Field("shm_size"),),
)


_MOST = 16 * 1024**3


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.shm_size
    if value is None or (size(value.value) or 0) <= _MOST or subject.memory is not None:
        return
    yield at_value(
        META,
        value,
        f"`{value.written}` of shared memory is memory of the machine, without a limit on it",
        "shm-size",
    )
