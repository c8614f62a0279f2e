"""A Feature comes from a registry that is not the usual one.

## What it is

A Feature of another registry than ghcr.io and mcr.microsoft.com.

## Why it is bad

The collection on containers.dev, which lists nearly all public Features, is on ghcr.io. One from
elsewhere may be your company's own, or a name that looks like one you know:

    "ghcr.io.example/devcontainers/features/node:1": {}

## What to do instead

Make sure that it is the registry you mean, and allow it with a comment:
`// sandboxd: allow feature-unknown-registry -- our own registry`.

## Under gVisor

Features are installed when the image is built, by runc on the host's kernel, as root. The runtime of
the container changes nothing about that.

## References

- https://containers.dev/implementors/features/
- https://containers.dev/features
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
    id="feature-unknown-registry",
    summary="a feature comes from a registry that is not the usual one",
    severity=Severity.HINT,
    since="0.1.0",
    why="its install script runs as root in the build, and few people look at it",
    needs=(Field("features"),),
)

_USUAL = ("ghcr.io", "mcr.microsoft.com")


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.features:
        registry = value.value.id.split("/")[0]
        if value.value.source == "registry" and registry not in _USUAL:
            yield at_value(META, value, f"`{value.written}` is taken from `{registry}`", registry)
