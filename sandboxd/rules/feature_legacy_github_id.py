"""A Feature has a name that tools read in different ways.

## What it is

A Feature without a registry in its name: `node`, or `owner/repository/feature@v1`.

## Why it is bad

The first Features were taken from releases of GitHub repositories, and bare names from a list built
into the tool. Both are gone from the specification. A tool that still knows them fetches an archive
without a digest; others fail.

    "owner/repository/tool@v1": {}

## What to do instead

Name it as it is on containers.dev: `ghcr.io/devcontainers/features/node:1`.

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
    id="feature-legacy-github-id",
    summary="a feature has a name that tools read in different ways",
    severity=Severity.WARNING,
    since="0.1.0",
    why="where it comes from depends on the tool, and one day on who registers the name",
    needs=(Field("features"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.features:
        if value.value.source == "legacy":
            yield at_value(
                META,
                value,
                f"`{value.written}` names no registry: where it comes from depends on the tool",
                value.value.id,
            )
