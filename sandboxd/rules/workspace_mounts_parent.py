"""More than the project is mounted as the workspace.

## What it is

A `workspaceMount`, or another mount, of a folder above the project:
`${localWorkspaceFolder}/..`.

## Why it is bad

The projects beside it are in the container as well, with their secrets and with their own
`.devcontainer`, `.git/hooks` and build files, which run on the host when you open them.

## What to do instead

Mount the project alone. What it needs of others, mount by name and read-only, or take it from a
package.

No fix is offered: the paths inside, of the editor as well, would change.

## Under gVisor

No difference: what you mount is outside the sandbox.

## References

- https://containers.dev/implementors/json_reference/#image-or-dockerfile-specific-properties
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.model.paths import lies_in
from sandboxd.rules._finding import at_value
from sandboxd.rules._mounts import canonical, host_mounts
from sandboxd.rules._needs import Mentions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="workspace-mounts-parent",
    summary="more than the project is mounted as the workspace",
    severity=Severity.WARNING,
    since="0.1.0",
    why="other projects, their secrets and what runs when you open them are in the container's hands",
    needs=(Mentions("mounts", ".."),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    # Elsewhere, `..` of a Compose file in a folder below the project is the project.
    if subject.place is not None and not _is_dev_container(subject.place.path):
        return
    workspace = canonical(subject.workspace or "${localWorkspaceFolder}", host.home)
    for mount, path in host_mounts(subject, host):
        above = path != workspace and lies_in(workspace, path) and path not in ("/", "~", "/home")
        if subject.workspace is None:
            above = mount.written.startswith("${localWorkspaceFolder}/..") and not _returns(
                mount.written
            )
        if not above or ".." not in mount.written:
            continue
        yield at_value(
            META,
            mount,
            f"`{mount.written}` mounts the folder above the project, other projects included",
            path,
        )


def _is_dev_container(path: str) -> bool:
    return path.endswith(".json") or "/.devcontainer/" in path


def _returns(written: str) -> bool:
    """True if something follows the last `..`."""
    return not written.rstrip("/").endswith("..")
