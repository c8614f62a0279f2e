"""The image's label starts a program with the container.

## What it is

`entrypoint` in the metadata label of the image, mostly that of a Feature it was built with.

## Why it is bad

It runs as the container's user at every start, before anything of yours; Docker's daemon and SSH
servers are started in this way.

## What to do instead

Build a small image of your own from it with an empty label, and name that:

    printf 'FROM IMAGE\\nLABEL devcontainer.metadata=""\\n' | docker build -t dev-quiet -

## Under gVisor

No difference: it runs inside.

## References

- https://containers.dev/implementors/spec/#merge-logic
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
    id="label-entrypoint",
    summary="the image's label starts a program with the container",
    severity=Severity.WARNING,
    since="0.1.0",
    why="it runs at every start, before anything of yours",
    needs=(Field("image_label"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    label = subject.image_label
    if label is None:
        return
    for entry in label.value.entries() or ():
        node = entry.get("entrypoint")
        if node is not None and node.text():
            yield at_value(
                META, label, f"the label of the image starts `{node.value}`", str(node.value)
            )
