"""A part of the Compose file is fetched from elsewhere.

## What it is

`include` or `extends` of a Git, HTTP or OCI address in a Compose file.

## Why it is bad

`docker compose` fetches the part when it is used, and merges it: services, mounts of the host,
privileges. It stands in no diff, and whoever holds that address changes it at any time.

    include:
      - https://github.com/somebody/stack.git

It could not be read here, so what it says has not been judged.

## What to do instead

Copy the part into the project, or add it as a submodule, which pins a commit.

## Under gVisor

No difference: the part can name any runtime.

## References

- https://docs.docker.com/reference/compose-file/include/
- https://docs.docker.com/compose/how-tos/oci-artifact/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Finding, Place, RuleMeta, Severity
from sandboxd.rules._needs import Kind
from sandboxd.syntax import yaml
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document
    from sandboxd.syntax.node import Node

META = RuleMeta(
    id="compose-remote-include",
    summary="a part of the Compose file is fetched from elsewhere",
    severity=Severity.WARNING,
    since="0.1.0",
    why="whoever holds that address adds services, mounts and privileges at any time",
    needs=(Kind("compose"),),
)

_REMOTE = ("http://", "https://", "git://", "ssh://", "oci://", "git@", "github.com/")


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    if subject.kind != "compose":
        return
    for root in (subject.tree.root, *subject.tree.others):
        for node in _addresses(root):
            text = node.text()
            if text is not None and text.startswith(_REMOTE):
                yield Finding(
                    META.id,
                    META.severity,
                    f"`{readable(text)}` is fetched and merged whenever this file is used",
                    Place(subject.source.path, node.span),
                    text,
                    why=META.why,
                )


def _addresses(root: Node | None) -> Iterator[Node]:
    """Yield the nodes that name another Compose file: in `include`, and in `extends.file` of services."""
    includes = yaml.get(root, "include")
    for item in includes.items if includes is not None else ():
        item = yaml.target(item)
        path = yaml.get(item, "path") if item.kind == "object" else item
        if path is not None:
            yield from (path.items if path.kind == "array" else [path])
    services = yaml.get(root, "services")
    for _, service in yaml.members(services) if services is not None else ():
        file = yaml.get(service, "extends", "file")
        if file is not None:
            yield file
