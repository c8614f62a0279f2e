"""The container can rewrite its own seccomp profile.

## What it is

The profile of `seccomp=PATH` lies in the project, the project is mounted writable, and no
read-only mount covers the profile.

## Why it is bad

A process inside replaces the profile. At the next rebuild the engine loads what it finds:

    echo '{"defaultAction": "SCMP_ACT_ALLOW"}' > .devcontainer/seccomp.json

## What to do instead

Mount the folder of the profile read-only over the workspace:
`source=${localWorkspaceFolder}/.devcontainer,target=${containerWorkspaceFolder}/.devcontainer,type=bind,readonly`.
`sandboxd init` does.

## Under gVisor

gVisor ignores seccomp profiles unless `oci-seccomp` is on; it is a hint.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/security/seccomp/
- https://github.com/trailofbits/claude-code-devcontainer/pull/13
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._mounts import container_writes, project_path
from sandboxd.rules._needs import Field
from sandboxd.rules._runtime import kernel_severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="seccomp-file-in-writable-workspace",
    summary="the container can rewrite its own seccomp profile",
    severity=Severity.WARNING,
    since="0.1.0",
    why="what a process inside writes there is the filter after the next rebuild",
    needs=(Field("security_opt"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.option("seccomp")
    if value is None or value.value.value in ("", "unconfined", "builtin", "default"):
        return
    file = value.value.value
    first = subject.place.path if subject.place is not None else ""
    if first.endswith((".yml", ".yaml")) and file.startswith("."):
        # Compose starts at the folder of its first file.
        file = posixpath.join(posixpath.dirname(first), file)
    path = project_path(file, subject)
    if not path or not container_writes(path, subject):
        return
    yield at_value(
        META,
        value,
        "the profile lies in the workspace, where the container can rewrite it",
        value.value.value,
        kernel_severity(subject, host, Severity.WARNING, Severity.HINT),
    )
