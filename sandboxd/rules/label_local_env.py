"""The image's label asks for variables of the host.

## What it is

`${localEnv:NAME}` or `${env:NAME}` in the metadata label of the image.

## Why it is bad

The dev container CLI replaces variables in labels with the environment of whoever opens the
project, without asking. A label `"containerEnv": {"X": "${localEnv:AWS_SECRET_ACCESS_KEY}"}`
puts the secret into the container, where the image's own programs send it away.

## What to do instead

Build a small image of your own from it with an empty label, and name that:

    printf 'FROM IMAGE\\nLABEL devcontainer.metadata=""\\n' | docker build -t dev-quiet -

## Under gVisor

No difference: the values are handed over.

## References

- https://containers.dev/implementors/reference/#labels
"""

from __future__ import annotations

import re
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
    id="label-local-env",
    summary="the image's label asks for variables of the host",
    severity=Severity.ERROR,
    since="0.1.0",
    why="the label is replaced with your environment without asking",
    needs=(Field("image_label"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    label = subject.image_label
    if label is None:
        return
    for name in dict.fromkeys(
        re.findall(r"\$\{(?:localEnv|env):([A-Za-z0-9_]+)", label.value.text)
    ):
        yield at_value(
            META,
            label,
            f"the label of the image reads `{name}` of your environment",
            name,
            Severity.WARNING if name in ("HOME", "USERPROFILE", "USER") else Severity.ERROR,
        )
