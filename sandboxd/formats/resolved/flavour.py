"""The Compose service that a devcontainer.json is merged over.

The dev container CLI writes an override file that is merged over the service; what that file cannot
express (`runArgs`, `appPort`, `workspaceMount`, options of a mount) is dropped silently.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from sandboxd.formats.compose.project import needed_services
from sandboxd.model.container import Container, Mount, Unseen

if TYPE_CHECKING:
    from sandboxd.formats.compose.project import Project
    from sandboxd.formats.resolved.variables import Variables
    from sandboxd.model.document import Document
    from sandboxd.model.values import Value
    from sandboxd.syntax.node import Node


def service(document: Document, layers: tuple[Container, ...], variables: Variables) -> Container:
    """The Compose service over which `layers` of a devcontainer.json are merged.

    Where the Compose files cannot be read it is empty, and its `unseen` says so.
    """
    from sandboxd.formats import compose

    root = document.tree.root
    name = _text(root.get("service")) if root is not None else None
    paths = _paths(root, document.source.path, variables)
    project = compose.project_of(paths, document.source.path, variables)
    services = {other.name: other for other in compose.services(project, document.source.path)}
    below = services.pop(name or "", None)
    label = layers[0].name if layers else document.source.path
    if below is None:
        missing = f"there is no service `{name}` in its Compose files"
        reasons = project.unseen or [Unseen("compose", missing, "check `service`")]
        return Container(label, None, unseen=tuple(reasons))
    started = _services_to_start(root, name or "", project)
    sidecars = tuple(other for other in services.values() if other.name in started)
    unseen = (*project.unseen, *below.unseen)
    return below._replace(name=label, sidecars=sidecars, unseen=tuple(dict.fromkeys(unseen)))


def override(container: Container) -> Container:
    """`container` as the CLI writes it into its override file, in which volumes are `source:target`."""
    return container._replace(mounts=tuple(_short(mount) for mount in container.mounts))


def over_service(below: Container, above: Container) -> tuple[Value[Mount], ...]:
    """The mounts of both: of two with the same target, that of `above`."""
    targets = {_target(mount) for mount in above.mounts}
    return (*(mount for mount in below.mounts if _target(mount) not in targets), *above.mounts)


def _short(mount: Value[Mount]) -> Value[Mount]:
    source, target = mount.value.source, mount.value.target
    is_path = source.startswith(("/", ".", "~", "$"))
    return mount._replace(value=Mount("bind" if is_path else "volume", source, target))


def _target(mount: Value[Mount]) -> str:
    return posixpath.normpath(mount.value.target) if mount.value.target else mount.value.source


def compose_paths(document: Document, variables: Variables) -> list[str]:
    """The paths on the host of the Compose files that a devcontainer.json names; [] for none."""
    return _paths(document.tree.root, document.source.path, variables)


def _paths(root: Node | None, devcontainer: str, variables: Variables) -> list[str]:
    node = root.get("dockerComposeFile") if root is not None else None
    folder = posixpath.dirname(devcontainer)
    if node is None:
        return []
    texts = [item.text() for item in (node.items if node.kind == "array" else [node])]
    if not texts:
        # An empty list: what `docker compose` itself would take in the workspace.
        folder = variables.workspace or folder
        texts = ["docker-compose.yml"]
    return [
        posixpath.normpath(posixpath.join(folder, variables.resolve(text).replace("\\", "/")))
        for text in texts
        if text
    ]


def _services_to_start(root: Node | None, name: str, project: Project) -> set[str]:
    """The services that are started with `name`: those of `runServices` and what they need.

    Without `runServices`, all that are in no profile.
    """
    node = root.get("runServices") if root is not None else None
    names = [text for item in (node.items if node is not None else []) if (text := item.text())]
    if not names:
        names = [
            service.name for service in project.services.values() if "profiles" not in service.parts
        ]
    todo, started = [name, *names], set[str]()
    while todo:
        service = project.services.get(todo.pop())
        if service is not None and service.name not in started:
            started.add(service.name)
            todo.extend(needed_services(service))
    return started


def _text(node: Node | None) -> str | None:
    return None if node is None else node.text()
