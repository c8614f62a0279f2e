"""A limit of the kernel is taken away.

## What it is

`--ulimit` or Compose `ulimits` with -1 or `unlimited`, other than for `memlock` and `core`.

## Why it is bad

Limits on processes and files are the last ones that hold where no control group does.

## What to do instead

A number that is large enough: `nofile=65536`.

## Under gVisor

They hold for what runs inside, where gVisor counts.
Seen with runsc 20240729.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#ulimit
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="ulimit-unlimited",
    summary="a limit of the kernel is taken away",
    severity=Severity.HINT,
    since="0.1.0",
    why="nothing holds where no control group does",
    needs=(Field("ulimits"),),
)


_USUAL = ("memlock", "core", "stack")


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.ulimits:
        name, limit = value.value
        if name in _USUAL or not any(part in ("-1", "unlimited") for part in limit.split(":")):
            continue
        yield at_value(META, value, f"`{name}` has no limit", name)
