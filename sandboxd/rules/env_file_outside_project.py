"""Environment variables come from a file outside of the project.

## What it is

`--env-file` or Compose `env_file` with a path that is not below the project. What the file holds
is not read here.

## Why it is bad

Files of variables hold secrets, and one outside of the project is the host's own: every variable
in it is in the container, also those that are added next year.

## What to do instead

A file of the project that is not committed, or single variables by name.

## Under gVisor

No difference.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#env
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.model.paths import lies_in
from sandboxd.rules._finding import at_value
from sandboxd.rules._mounts import canonical, project_path
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container
    from sandboxd.model.values import Value

META = RuleMeta(
    id="env-file-outside-project",
    summary="environment variables come from a file outside of the project",
    severity=Severity.WARNING,
    since="0.1.0",
    why="whatever the host's file holds, now or later, is in the container",
    needs=(Field("env_files"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.env_files:
        path = canonical(value.value, host.home)
        if not path.startswith(("/", "~", "..")) or project_path(value.value, subject):
            continue
        workspace = subject.workspace
        if workspace is not None and lies_in(path, canonical(workspace, host.home)):
            continue
        if workspace is None and (path.startswith("..") or _is_beside(value)):
            continue
        yield at_value(
            META,
            value,
            f"every variable of `{value.written}`, outside of the project, is in the container",
            path,
        )


def _is_beside(value: Value[str]) -> bool:
    """Whether a script names a file in its own folder, or below it."""
    if value.place is None or not value.written.startswith("./"):
        return False
    return lies_in(value.value, value.place.path.rpartition("/")[0] or "/")
