"""Settings of a container that its Dockerfile makes; all others override them."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from sandboxd import formats
from sandboxd.errors import UnreadableError
from sandboxd.formats.resolved.layers import merge
from sandboxd.model.container import Container, Pair, Unseen
from sandboxd.model.values import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from sandboxd.formats.resolved.variables import Variables
    from sandboxd.model.container import Build
    from sandboxd.model.document import Document
    from sandboxd.model.image import Image, Stage
    from sandboxd.model.values import Value

_LONGEST_PATH = 4096


class Built(NamedTuple):
    """The user, environment and working directory that a Dockerfile sets, and the image that it starts from.

    `base` is None where that is not known.
    """

    layer: Container
    base: Value[str] | None = None


def over_dockerfile(container: Container, document: Document, variables: Variables) -> Container:
    """`container` merged over the settings of the Dockerfile that its image is built from."""
    layer = read_image(container, document, variables).layer
    merged = merge(layer, container)
    return merged._replace(unseen=(*container.unseen, *layer.unseen))


def read_image(container: Container, document: Document, variables: Variables) -> Built:
    """The settings of the Dockerfile of `container`; empty where there is none or it cannot be read."""
    empty = Container(container.name, None)
    build = container.build.value if container.build is not None else None
    path = _path(build) if build is not None and variables.files is not None else None
    if build is None or path is None:
        return Built(empty)
    try:
        source = variables.read(path, document.source.path)
    except UnreadableError as error:
        name = posixpath.relpath(path, posixpath.dirname(document.source.path) or ".")
        unseen = Unseen("dockerfile", f"`{name}` {error.message}", error.hint)
        return Built(empty._replace(unseen=(unseen,)))
    # An argument whose value only the host knows stays `${...}` wherever it is used.
    build_args = {arg.value.name: arg.value.value for arg in build.args}
    target = build.target.value if build.target is not None else None
    dockerfile = formats.parsed("dockerfile", source, variables.files)
    reader = _Reader(dockerfile, build_args, container.workspace)
    return reader.read(empty, target)


def _path(build: Build) -> str | None:
    """The path of the Dockerfile; None where the context is a URL or not known."""
    name = build.dockerfile.value if build.dockerfile is not None else "Dockerfile"
    path = name
    if build.context is not None and not name.startswith("/"):
        path = f"{build.context.value}/{name}"
    if not path.startswith("/") or "$" in path:
        return None
    return posixpath.normpath(path)


class _Reader:
    def __init__(
        self, document: Document, build_args: Mapping[str, str], workspace: str | None
    ) -> None:
        from sandboxd.model.image import image

        self.image: Image = image(document, build_args)
        self.build_args = build_args
        path = document.source.path
        folder = posixpath.dirname(path)
        self.name = posixpath.relpath(path, workspace or folder)
        self.folder = ""

    def read(self, empty: Container, target: str | None) -> Built:
        stage = self.image.target(target)
        if stage is None:
            return Built(empty)
        env: list[Value[Pair]] = []
        fields: dict[str, Any] = {}
        for field, value in self.settings(stage):
            if field == "env":
                env.append(value)
            else:
                fields[field] = value
        fields["env"] = tuple(env)
        base = self.image.lineage(stage)[0].base
        return Built(empty._replace(**fields), None if base is None else self.without_nodes(base))

    def settings(self, stage: Stage) -> Iterator[tuple[str, Value[Any]]]:
        from sandboxd.model.image import pairs, resolve
        from sandboxd.model.image_variables import steps

        for instruction, scope in steps(self.image, stage, self.build_args):
            if instruction.keyword == "ENV":
                for pair, word in pairs(instruction):
                    yield (
                        "env",
                        self.value(Pair(pair.name, resolve(pair.value, scope)), word, "ENV"),
                    )
            elif instruction.keyword in ("USER", "WORKDIR") and instruction.words():
                word = instruction.words()[0]
                text = resolve(word.value, scope)
                if instruction.keyword == "USER":
                    yield "user", self.value(text, word, "USER")
                    continue
                folder = posixpath.normpath(posixpath.join(self.folder, text))
                self.folder = folder if len(folder) <= _LONGEST_PATH else text
                yield "working_dir", self.value(self.folder, word, "WORKDIR")

    def value(self, normal: Any, word: Any, key: str) -> Value[Any]:
        return self.without_nodes(self.image.value(normal, word.span, word.value, key))

    def without_nodes(self, value: Value[Any]) -> Value[Any]:
        """`value` without its nodes, since they are not in the tree of the checked file."""
        return value._replace(origin=Origin("dockerfile", self.name, value.origin.key), nodes=())
