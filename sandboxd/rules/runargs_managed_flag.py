"""An option in runArgs gets in the tools' way.

## What it is

`-d`, `--rm`, `-i`, `-t`, `-a`, `--name` or a label `devcontainer.*` in `runArgs`, which the dev
container tools set themselves or look for.

## Why it is bad

With `--rm` the container and what you installed in it are gone at every stop; with `--name` a
second checkout of the project takes over the container of the first.

## What to do instead

Remove it.

## Under gVisor

No difference.

## References

- https://containers.dev/implementors/json_reference/#image-or-dockerfile-specific-properties
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_node, value_of
from sandboxd.rules._needs import Property
from sandboxd.rules._run_args import arguments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document

META = RuleMeta(
    id="runargs-managed-flag",
    summary="an option in runArgs gets in the tools' way",
    severity=Severity.HINT,
    since="0.1.0",
    why="the tools set it themselves, or look for the container by it",
    needs=(Property("devcontainer", "runArgs"),),
)


_MANAGED = ("detach", "interactive", "tty", "attach", "rm", "sig-proxy")


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    parsed = arguments(subject)
    for flag in parsed.flags if parsed is not None else ():
        if flag.name in _MANAGED and flag.value != "false":
            message = f"`--{flag.name}` gets in the way of the tools that start the container"
        elif flag.name == "label" and (flag.value or "").startswith("devcontainer."):
            message = f"the tools look for the container by `{flag.value}`"
        else:
            continue
        node = flag.nodes[-1]
        value = value_of(subject, node, "runArgs")._replace(nodes=flag.nodes)
        alone = (node.text() or "").startswith("--") or flag.name in ("label", "attach")
        yield at_node(
            META,
            subject,
            node,
            message,
            flag.name,
            remedies=(Remedy("remove it", True, (Remove(value),)),) if alone else (),
        )
