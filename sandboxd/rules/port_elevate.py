"""The editor is to ask for administrator rights for a port.

## What it is

`"elevateIfNeeded": true` in `portsAttributes` or `otherPortsAttributes`.

## Why it is bad

To forward a port below 1024 the editor asks for your password, and whatever is in the container
then answers for `localhost:80` or `:443` on your machine.

## What to do instead

Forward to a high port: the browser takes `localhost:8443` as well.

## Under gVisor

No difference.

## References

- https://containers.dev/implementors/json_reference/#port-attributes
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_node, value_of
from sandboxd.rules._needs import Property

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document

META = RuleMeta(
    id="port-elevate",
    summary="the editor is to ask for administrator rights for a port",
    severity=Severity.HINT,
    since="0.1.0",
    why="a prompt for your password that a repository asks for",
    needs=(
        Property("devcontainer", "portsAttributes"),
        Property("devcontainer", "otherPortsAttributes"),
    ),
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    root = subject.tree.root
    if root is None or root.kind != "object":
        return
    ports = root.get("portsAttributes")
    tables = [member.value for member in ports.members] if ports is not None else []
    for table in (*tables, root.get("otherPortsAttributes")):
        node = table.get("elevateIfNeeded") if table is not None else None
        if node is not None and node.value is True:
            yield at_node(
                META,
                subject,
                node,
                "the editor asks for your password to forward this port",
                "elevateIfNeeded",
                remedies=(
                    Remedy(
                        "forward without asking",
                        safe=True,
                        changes=(Remove(value_of(subject, node, "portsAttributes")),),
                    ),
                ),
            )
