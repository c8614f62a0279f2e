"""The image carries settings that weaken every container made from it.

## What it is

`LABEL devcontainer.metadata` in a Dockerfile, with `privileged`, added capabilities, a switched-off
security option, a mount of the host, or `${localEnv:...}`.

## Why it is bad

The dev container tools take settings from this label of an image and put them before those of
devcontainer.json. It has no effect on this build, but on everybody who uses the image as a base:
their devcontainer.json shows nothing, and cannot turn `privileged` off.

    LABEL devcontainer.metadata='[{"privileged": true}]'

## What to do instead

Leave such settings to the devcontainer.json that needs them, where a reader sees them.

## Under gVisor

Mounts and what is read from the host's environment hold there as well; capabilities are virtual.
Seen with runsc 20240729.

## References

- https://containers.dev/implementors/spec/#image-metadata
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.model.image import pairs
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.syntax import jsonc
from sandboxd.syntax.node import plain, readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.image import Image
    from sandboxd.syntax.node import Node

META = RuleMeta(
    id="dockerfile-metadata-label",
    summary="the image carries settings that weaken every container made from it",
    severity=Severity.WARNING,
    since="0.1.0",
    why="a devcontainer.json that uses the image shows none of it, and cannot turn it off",
    needs=(Field("stages"),),
)

_REACHES = {
    "securityOpt": r"unconfined|label[=:]disable|no-new-privileges[=:]false",
    "mounts": r"type=bind|'type': 'bind'",
}


def check(subject: Image, host: HostFacts) -> Iterator[Finding]:
    for instruction in subject.instructions("LABEL"):
        for pair, word in pairs(instruction):
            if pair.name != "devcontainer.metadata":
                continue
            for weak in _weak(jsonc.parse(pair.value).root):
                value = subject.value(weak, word.span, word.value, "LABEL")
                message = (
                    f"the label gives `{readable(weak)}` to every container made from this image"
                )
                yield at_value(META, value, message, weak)


def _weak(root: Node | None) -> Iterator[str]:
    """The entries of a label, one or a list of them, that reach further than a sandbox."""
    entries = root.items if root is not None and root.kind == "array" else [root]
    for entry in entries:
        if entry is None or entry.kind != "object":
            continue
        for key, value in entry.members:
            name = str(key.value)
            if name == "privileged" and value.value is True:
                yield name
            for item in value.items if name in ("capAdd", "securityOpt", "mounts") else ():
                text = item.text() or str(plain(item))
                if name == "capAdd" or re.search(_REACHES[name], text):
                    yield f"{name}: {text}"
            if name == "containerEnv":
                for variable, written in value.members:
                    if "${localEnv:" in str(written.value):
                        yield f"{name}: {variable.value}"
