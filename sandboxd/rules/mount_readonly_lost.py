"""A mount that is meant to be read-only is writable.

## What it is

`readonly` in a mount of a devcontainer.json where the dev container CLI drops it: in the object
form of `mounts`, which only knows `type`, `source` and `target`, and in every mount beside
`dockerComposeFile`, which the CLI rewrites as `source:target`.

## Why it is bad

The file says read-only, and the container writes. Nothing tells you.

    touch /host-config/x    # works

## What to do instead

Write the mount as a string: `source=/a,target=/b,type=bind,readonly`. With Compose, put it into
the service: `volumes: ["/a:/b:ro"]`.

## Under gVisor

No difference.

## References

- https://github.com/devcontainers/cli/issues/881
- https://github.com/devcontainers/spec/issues/511
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Replace, RuleMeta, Severity
from sandboxd.rules._finding import at_node, value_of
from sandboxd.rules._needs import Spells

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document
    from sandboxd.syntax.node import Node

META = RuleMeta(
    id="mount-readonly-lost",
    summary="a mount that is meant to be read-only is writable",
    severity=Severity.WARNING,
    since="0.1.0",
    why="the dev container CLI drops `readonly` without a word",
    needs=(
        Spells("devcontainer", "readonly"),
        Spells("devcontainer", "readOnly"),
        Spells("devcontainer", "read_only"),
        Spells("devcontainer", ",ro"),
        Spells("devcontainer", '"ro"'),
    ),
)


_READ_ONLY = ("readonly", "readOnly", "read_only", "ro")


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    root = subject.tree.root
    mounts = root.get("mounts") if root is not None and root.kind == "object" else None
    if root is None or mounts is None:
        return
    compose = root.get("dockerComposeFile") is not None
    for node in mounts.items:
        if node.kind == "object":
            yield from _object(subject, node, compose)
            continue
        fields = (node.text() or "").split(",")
        target = next((f for f in fields if f.startswith(("target=", "dst="))), "")
        if compose and any(_is_read_only(field) for field in fields):
            yield at_node(
                META,
                subject,
                node,
                "with Compose the CLI drops `readonly`: move the mount to the service's `volumes`",
                target,
            )


def _object(document: Document, node: Node, compose: bool) -> Iterator[Finding]:
    member = next((m for m in (node.member(key) for key in _READ_ONLY) if m is not None), None)
    if member is None or member.value.value in (False, "false"):
        return
    fields = {key: value.text() for key in ("type", "source", "target") if (value := node.get(key))}
    text = ",".join(f"{key}={value}" for key, value in fields.items()) + ",readonly"
    remedy = Remedy(
        "write the mount as a string",
        safe=False,
        changes=(Replace(value_of(document, node, "mounts"), text),),
        caution="it becomes read-only, as it says",
    )
    yield at_node(
        META,
        document,
        member.key,
        "the CLI drops this from a mount that is written as an object: it is writable",
        str(fields.get("target")),
        remedies=() if compose or None in fields.values() else (remedy,),
    )


def _is_read_only(field: str) -> bool:
    name, _, value = field.partition("=")
    return name.strip() in _READ_ONLY and value in ("", "true", "1")
