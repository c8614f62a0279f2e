"""What a devcontainer.json leaves to other files: a Compose service, a Dockerfile.

For Compose the dev container CLI writes an override file that is merged over the service; what
that file cannot say (`runArgs`, `appPort`, `workspaceMount`, `readonly` of a mount) is dropped
without a word. A Dockerfile's user, environment and working directory hold where nothing else says
so.
"""

from __future__ import annotations

import posixpath

from sandboxd import kinds
from sandboxd._typing import TYPE_CHECKING
from sandboxd.errors import UnreadableError
from sandboxd.model.container import Container, Unseen
from sandboxd.model.document import Document
from sandboxd.model.values import Origin

if TYPE_CHECKING:
    from typing import Any

    from sandboxd.effective.variables import Variables
    from sandboxd.model.image import Image
    from sandboxd.model.values import Value
    from sandboxd.syntax.node import Node
    from sandboxd.text import SourceText


def service(document: Document, layers: tuple[Container, ...], variables: Variables) -> Container:
    """The Compose service that `layers` of a devcontainer.json are merged over.

    Without the files it is empty, and says what is not seen.
    """
    from sandboxd.kinds import compose

    root = document.tree.root
    name = _text(root.get("service")) if root is not None else None
    paths = _paths(root, document.source.path, variables)
    project = compose.project_of(paths, document.source.path, variables)
    services = {found.name: found for found in compose.services(project, document.source.path)}
    below = services.pop(name or "", None)
    label = layers[0].name if layers else document.source.path
    if below is None:
        missing = f"there is no service `{name}` in its Compose files"
        reasons = project.unseen or [Unseen("compose", missing, "check `service`")]
        return Container(label, None, unseen=tuple(reasons))
    started = _started(root, services)
    sidecars = tuple(found for found in services.values() if found.name in started)
    unseen = (*project.unseen, *below.unseen)
    return below._replace(name=label, sidecars=sidecars, unseen=tuple(dict.fromkeys(unseen)))


def compose_paths(document: Document, variables: Variables) -> list[str]:
    """The Compose files that a devcontainer.json names, as host paths."""
    return _paths(document.tree.root, document.source.path, variables)


def with_dockerfile(container: Container, document: Document, variables: Variables) -> Container:
    """`container` over what the Dockerfile says that its image is built from."""
    build = container.build.value if container.build is not None else None
    if build is None or variables.files is None:
        return container
    path = _dockerfile(build.context, build.dockerfile)
    if path is None:
        return container
    try:
        source = variables.read(path, document.source.path)
    except UnreadableError as error:
        name = posixpath.relpath(path, posixpath.dirname(document.source.path) or ".")
        unseen = Unseen("dockerfile", f"`{name}` {error.message}", error.hint)
        return container._replace(unseen=(*container.unseen, unseen))
    target = build.target.value if build.target is not None else None
    return _over(container, source, target)


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


def _started(root: Node | None, services: dict[str, Container]) -> set[str]:
    """The other services that are started: those of `runServices`, all without it."""
    node = root.get("runServices") if root is not None else None
    if node is None or node.kind != "array":
        return set(services)
    return {text for item in node.items if (text := item.text())}


def _dockerfile(context: Value[str] | None, dockerfile: Value[str] | None) -> str | None:
    """The path of the Dockerfile; None where the context is a URL or not known."""
    name = dockerfile.value if dockerfile is not None else "Dockerfile"
    path = name
    if context is not None and not name.startswith("/"):
        path = f"{context.value}/{name}"
    if not path.startswith("/") or "$" in path:
        return None
    return posixpath.normpath(path)


def _over(container: Container, source: SourceText, target: str | None) -> Container:
    image = _image(source)
    stage = image.target(target)
    if stage is None:
        return container
    from sandboxd.model.image import pairs

    def moved(value: Value[Any]) -> Value[Any]:
        """Made for another file: its nodes are none of the file that is checked."""
        folder = posixpath.dirname(source.path)
        named = posixpath.relpath(source.path, container.workspace or folder)
        return value._replace(origin=Origin("dockerfile", named, value.origin.key), nodes=())

    below = Container(container.name, None)
    user = image.last(stage, "USER")
    if user is not None and user.words():
        word = user.words()[0]
        below = below._replace(user=moved(image.value(word.value, word.span, word.value, "USER")))
    folder = image.last(stage, "WORKDIR")
    if folder is not None and folder.words():
        word = folder.words()[0]
        value = moved(image.value(word.value, word.span, word.value, "WORKDIR"))
        below = below._replace(working_dir=value)
    env = []
    for current in image.lineage(stage):
        for instruction in current.instructions:
            if instruction.keyword == "ENV":
                for pair, word in pairs(instruction):
                    env.append(moved(image.value(pair, word.span, word.value, "ENV")))
    from sandboxd.effective.container import merge

    return merge(below._replace(env=tuple(env)), container)


def _image(source: SourceText) -> Image:
    from sandboxd.model.image import image

    return image(kinds.get("dockerfile").parse(source))


def _text(node: Node | None) -> str | None:
    return None if node is None else node.text()
