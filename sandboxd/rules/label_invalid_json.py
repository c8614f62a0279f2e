"""The image's label cannot be read.

## What it is

A label `devcontainer.metadata` that is not JSON. The dev container CLI leaves it out.

## Why it is bad

What its maker meant to set, the user for instance, is not set: the container runs as root.

## What to do instead

Build the image anew, or set `remoteUser` and the rest in your file.

## Under gVisor

No difference.

## References

- https://containers.dev/implementors/reference/#labels
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
    id="label-invalid-json",
    summary="the image's label cannot be read",
    severity=Severity.HINT,
    since="0.1.0",
    why="what the image's maker meant to set is not set",
    needs=(Field("image_label"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    label = subject.image_label
    if label is not None and label.value.entries() is None:
        yield at_value(META, label, "the label of the image is no JSON: it is left out", "label")
