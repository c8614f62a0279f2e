"""A label claims that the container belongs to another project.

## What it is

A label of the dev container tools that the project sets itself: `devcontainer.local_folder`,
`devcontainer.config_file` or `devcontainer.metadata` on the container (Compose `labels`, `--label`).

## Why it is bad

The tools find the container of a folder by these labels. A container that claims the folder of another
project is the one that the editor opens for that project: with its Git credentials, its forwarded agent
and the code that is typed there. `devcontainer.metadata` is read like the image's label: users, mounts
and hooks.

    docker run -d --label devcontainer.local_folder=/home/you/payroll attacker/image

## What to do instead

Leave these labels to the tools. For labels of your own, a name of your own.

## Under gVisor

No difference: the editor trusts what it finds.

## References

- https://containers.dev/implementors/reference/#labels
- https://github.com/devcontainers/cli/blob/main/src/spec-node/singleContainer.ts
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="label-claims-project",
    summary="a label claims that the container belongs to another project",
    severity=Severity.WARNING,
    since="0.1.0",
    why="the editor opens this container for that project, with what it forwards there",
    needs=(Field("labels"),),
)

TOOLS_LABELS = {
    "devcontainer.local_folder": "makes the editor take this container for that of another folder",
    "devcontainer.config_file": "makes the editor take this container for that of another config",
    "devcontainer.metadata": "is read by the editor as settings of the image",
}


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.labels:
        effect = TOOLS_LABELS.get(value.value.name)
        # On a running container the tools themselves have set them.
        if effect is None or value.origin.kind in ("engine", "plan"):
            continue
        yield at_value(
            META,
            value,
            f"`{value.value.name}` {effect}",
            value.value.name,
            remedies=(
                Remedy(
                    "remove the label",
                    safe=False,
                    changes=(Remove(value),),
                    caution="the editor does not find the container by it",
                ),
            ),
        )
