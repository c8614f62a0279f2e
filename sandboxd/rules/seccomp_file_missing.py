"""The seccomp profile that is named is not there.

## What it is

`seccomp=PATH` where no such file is found. The dev container CLI runs docker in the folder of
the project, so a relative path is taken from there, and not from `.devcontainer/`.

## Why it is bad

The container does not start. The quick way out of that is `seccomp=unconfined`, and it stays.

    docker: opening seccomp profile (seccomp.json) failed: no such file or directory

## What to do instead

Write the path from the project's folder: `${localWorkspaceFolder}/.devcontainer/seccomp.json`.

## Under gVisor

No difference: docker reads the file, whatever runtime comes after.

## References

- https://github.com/devcontainers/cli/issues/210
- https://docs.docker.com/engine/security/seccomp/
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
    id="seccomp-file-missing",
    summary="the seccomp profile is not there",
    severity=Severity.ERROR,
    since="0.1.0",
    why="the container does not start, and `unconfined` is the usual way out",
    needs=(Field("missing_files"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.missing_files:
        yield at_value(
            META,
            value,
            f"`{value.written}` names a seccomp profile that is not there: "
            "relative paths start in the project's folder",
            value.value,
        )
