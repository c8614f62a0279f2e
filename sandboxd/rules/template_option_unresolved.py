"""An option of a template is still to be filled in.

## What it is

`${templateOption:NAME}` in a devcontainer.json. In the sources of a template it belongs there.

## Why it is bad

In a project it means that the template was copied and not applied: the image is called
`...:${templateOption:variant}`, the container does not start, and nobody chose a version.

## What to do instead

Apply the template with its tool (`devcontainer templates apply`, the editor's command), or write
the value in.

## Under gVisor

No difference.

## References

- https://containers.dev/implementors/templates/#option-resolution
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._document import strings
from sandboxd.rules._finding import at_node
from sandboxd.rules._needs import Spells

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document

META = RuleMeta(
    id="template-option-unresolved",
    summary="an option of a template is still to be filled in",
    severity=Severity.HINT,
    since="0.1.0",
    why="the container does not start, or starts with an empty value",
    needs=(Spells("devcontainer", "${templateOption"),),
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    for key, node in strings(subject):
        for name in re.findall(r"\$\{templateOption:\s*(\w+)\s*\}", str(node.value)):
            yield at_node(
                META,
                subject,
                node,
                f"the option `{name}` is still to be filled in",
                f"{key}:{name}",
            )
