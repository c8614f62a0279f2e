"""The engine's config holds what only JSON with comments allows.

## What it is

A comment, or a comma behind the last element, in `daemon.json`.

## Why it is bad

The engine reads strict JSON and refuses to start, at the next boot at the latest:

    unable to configure the Docker daemon with file /etc/docker/daemon.json: invalid character '/'

## What to do instead

Remove it. `dockerd --validate --config-file FILE` tries a file.

## Under gVisor

No difference: the engine reads it before anything runs.

## References

- https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._needs import Kind
from sandboxd.rules._strict_json import breaches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document

META = RuleMeta(
    id="daemon-not-strict-json",
    summary="the engine's config holds what only JSON with comments allows",
    severity=Severity.ERROR,
    since="0.1.0",
    why="dockerd does not start",
    needs=(Kind("daemon_json"),),
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    yield from breaches(META, subject, "dockerd does not start with it")
