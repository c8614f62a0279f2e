"""Files from outside of the project are copied into the container.

## What it is

`path` of a `develop.watch` entry with the action `sync`, that leads out of the project.

## Why it is bad

`docker compose watch` copies what is there into the container, and goes on with each change. The
repository so decides which files of your machine its code may read:

    develop:
      watch:
        - { action: sync, path: ~/.ssh, target: /keys }

## What to do instead

Watch a folder of the project.

## Under gVisor

No difference: no sandbox protects what you copy into it.

## References

- https://docs.docker.com/reference/compose-file/develop/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.model.paths import lies_in
from sandboxd.rules._finding import at_value
from sandboxd.rules._mounts import canonical
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="compose-watch-outside",
    summary="files from outside of the project are copied into the container",
    severity=Severity.ERROR,
    since="0.2.0",
    why="the repository decides which files of your machine its code may read",
    needs=(Field("watched"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for watched in subject.watched:
        path = canonical(watched.value.source, host.home)
        workspace = subject.workspace
        inside = workspace is not None and lies_in(path, canonical(workspace, host.home))
        if inside or path.startswith("${"):
            continue
        # A home and its hidden folders hold keys, the root holds both.
        is_private = path in ("/", "~") or path.startswith("~/.")
        severity = Severity.ERROR if is_private else Severity.WARNING
        message = f"`{watched.written}` of the host is copied into the container"
        yield at_value(META, watched, message, path, severity)
