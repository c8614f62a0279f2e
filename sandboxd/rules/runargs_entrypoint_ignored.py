"""The entry point in runArgs has no effect.

## What it is

`--entrypoint` in `runArgs`. The dev container CLI puts its own behind it.

## Why it is bad

Whatever it was to start, or to check first, is not run.

## What to do instead

`"overrideCommand": false` keeps the entry point and command of the image; a wrapper belongs into
the image.

## Under gVisor

No difference.

## References

- https://containers.dev/implementors/json_reference/#general-properties
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
    id="runargs-entrypoint-ignored",
    summary="the entry point in runArgs has no effect",
    severity=Severity.HINT,
    since="0.1.0",
    why="what it was to start is not run",
    needs=(Spells("devcontainer", "--entrypoint"),),
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    parsed = arguments(subject)
    for flag in parsed.all("entrypoint") if parsed is not None else ():
        node = flag.nodes[-1]
        value = value_of(subject, node, "runArgs")._replace(nodes=flag.nodes)
        yield at_node(
            META,
            subject,
            node,
            f"`{flag.value}` is not started: the CLI names an entry point of its own",
            "entrypoint",
            remedies=(Remedy("remove it", safe=True, changes=(Remove(value),)),),
        )
