"""A Feature has a name that tools read in different ways.

## What it is

A Feature without a registry in its name: `node`, or `owner/repository/feature@v1`.

## Why it is bad

The first Features were taken from releases of GitHub repositories, and bare names from a list built
into the tool. Both are gone from the specification. A tool that still knows them fetches an archive
without a digest; others fail.

    "owner/repository/tool@v1": {}

## What to do instead

Name it as it is on containers.dev: `ghcr.io/devcontainers/features/node:1`. For the bare names that the dev container
CLI still knows, `--fix` writes what the CLI reads in their place.

## Under gVisor

Features are installed when the image is built, by runc on the host's kernel, as root. The runtime of
the container changes nothing about that.

## References

- https://containers.dev/implementors/features/
- https://containers.dev/features
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Replace, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container
    from sandboxd.model.feature import Feature
    from sandboxd.model.values import Value

META = RuleMeta(
    id="feature-legacy-github-id",
    summary="a feature has a name that tools read in different ways",
    severity=Severity.WARNING,
    since="0.1.0",
    why="where it comes from depends on the tool, and one day on who registers the name",
    needs=(Field("features"),),
)


# What the dev container CLI reads in place of names without a registry, all of version 1 (`getBackwardCompatibleFeatureId`).
_FOLDER = "ghcr.io/devcontainers/features/"
NAMES = {
    **{
        name: name
        for name in (
            *("aws-cli", "azure-cli", "desktop-lite", "docker-from-docker", "docker-in-docker"),
            *("dotnet", "git", "git-lfs", "github-cli", "java", "kubectl-helm-minikube", "node"),
            *("powershell", "python", "ruby", "rust", "sshd", "terraform"),
        )
    },
    "common": "common-utils",
    "golang": "go",
}


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    ids = {value.value.id for value in subject.features}
    for value in subject.features:
        if value.value.source == "legacy":
            name = NAMES.get(value.written, "")
            is_free = name and _FOLDER + name not in ids
            yield at_value(
                META,
                value,
                f"`{value.written}` names no registry: where it comes from depends on the tool",
                value.value.id,
                remedies=(_full_name(value, name),) if is_free else (),
            )


def _full_name(value: Value[Feature], name: str) -> Remedy:
    """The remedy that changes nothing for the dev container CLI, and what other tools read."""
    full = f"{_FOLDER}{name}:1"
    return Remedy(f"write `{full}`", safe=True, changes=(Replace(value, full),))
