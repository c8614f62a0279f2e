"""A secret or a config is a file outside of the project.

## What it is

`file` of a top-level `secrets` or `configs` entry that leads out of the project, and that a service
uses.

## Why it is bad

Compose mounts the file into the container. The repository so decides which file of your machine its
code may read:

    secrets:
      key: { file: ~/.ssh/id_ed25519 }

## What to do instead

`environment: NAME` in place of `file`, set for the one start; or a file within the project that is
ignored by Git.

## Under gVisor

No difference: no sandbox protects what you mount into it.

## References

- https://docs.docker.com/compose/how-tos/use-secrets/
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
    id="compose-config-secret-file-outside",
    summary="a secret or a config is a file outside of the project",
    severity=Severity.WARNING,
    since="0.1.0",
    why="the repository decides which file of your machine its code may read",
    needs=(Field("mounts"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for mount in subject.mounts:
        if mount.origin.key not in ("secrets", "configs") or subject.workspace is None:
            continue
        path = canonical(mount.value.source, host.home)
        if lies_in(path, canonical(subject.workspace, host.home)) or path.startswith("$"):
            continue
        message = f"`{mount.written}` of the host can be read inside at `{mount.value.target}`"
        yield at_value(META, mount, message, path)
