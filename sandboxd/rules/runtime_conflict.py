"""Several runtimes are asked for.

## What it is

Two `--runtime` options with different names in `runArgs`. Docker takes the last one.

## Why it is bad

A line that asks for gVisor stands there and has no effect, if another one comes later.

## What to do instead

Keep one.

## Under gVisor

It is the choice of gVisor that is lost.

## References

- https://docs.docker.com/reference/cli/docker/container/run/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_node, value_of
from sandboxd.rules._needs import Spells
from sandboxd.rules._run_args import arguments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document

META = RuleMeta(
    id="runtime-conflict",
    summary="several runtimes are asked for",
    severity=Severity.WARNING,
    since="0.1.0",
    why="docker takes the last one, and the others only look like it",
    needs=(Spells("devcontainer", "--runtime"),),
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    parsed = arguments(subject)
    flags = parsed.all("runtime") if parsed is not None else ()
    for flag in flags[:-1]:
        last = flags[-1].value
        if flag.value == last:
            continue
        value = value_of(subject, flag.nodes[-1], "runArgs")._replace(nodes=flag.nodes)
        yield at_node(
            META,
            subject,
            flag.nodes[-1],
            f"`{flag.value}` is not used: `{last}` comes later",
            f"{flag.value}",
            remedies=(Remedy("remove it", safe=True, changes=(Remove(value),)),),
        )
