"""A Feature is fetched from a plain address.

## What it is

A Feature that is named by the URL of an archive, `https://.../feature.tgz`.

## Why it is bad

Whatever the server sends runs as root in the build. Lock files do not cover such Features:

    "https://files.example/tool.tgz": {}

## What to do instead

Publish it to a registry and name it by digest, or put it into the project (`./tool`), where it is
reviewed with the rest.

## Under gVisor

Features are installed when the image is built, by runc on the host's kernel, as root. The runtime of
the container changes nothing about that.

## References

- https://containers.dev/implementors/features/
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
    id="feature-http-tarball",
    summary="a feature is fetched from a plain address",
    severity=Severity.WARNING,
    since="0.1.0",
    why="nothing says what is fetched: no version, no digest, and with http no sender",
    needs=(Field("features"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.features:
        if value.value.source == "tarball":
            sender = " by whoever is on the way" if value.written.startswith("http:") else ""
            yield at_value(
                META,
                value,
                f"`{value.written}` runs as root in the build, and can be replaced at any time{sender}",
                value.value.id,
            )
