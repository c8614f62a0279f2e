"""The image brings commands that run when you open the project.

## What it is

A hook (`onCreateCommand` to `postAttachCommand`) in the metadata label of the image.

## Why it is bad

They run inside, before the hooks of your file, with the workspace and the forwarded credentials
in reach. The repository does not show them, and they change with the image.

## What to do instead

Build a small image of your own from it with an empty label, and name that:

    printf 'FROM IMAGE\\nLABEL devcontainer.metadata=""\\n' | docker build -t dev-quiet -

## Under gVisor

No difference: it is about what they do inside.

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

HOOKS = (
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
)

META = RuleMeta(
    id="label-hook",
    summary="the image brings commands that run when you open the project",
    severity=Severity.WARNING,
    since="0.1.0",
    why="they run before your own hooks, and the repository does not show them",
    needs=(Field("image_label"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    label = subject.image_label
    if label is None:
        return
    for entry in label.value.entries() or ():
        for hook in HOOKS:
            node = entry.get(hook)
            if node is None:
                continue
            command = label.value.text[node.span.start : node.span.end]
            yield at_value(META, label, f"the label of the image runs {command[:120]}", hook)
