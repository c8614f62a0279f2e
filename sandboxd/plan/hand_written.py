"""A hand-written devcontainer.json and the label of its image, as a plan uses them."""

from __future__ import annotations

import os

from sandboxd.config.model import Config
from sandboxd.errors import UsageError
from sandboxd.files import read_beside
from sandboxd.findings import Place
from sandboxd.formats.resolved.container import effective
from sandboxd.formats.resolved.layers import merge
from sandboxd.formats.resolved.variables import Variables
from sandboxd.host.facts import HostFacts
from sandboxd.model.container import Build, Container
from sandboxd.model.control_name import ControlName
from sandboxd.model.document import Document
from sandboxd.model.files import Files
from sandboxd.model.values import Origin, Value
from sandboxd.plan.compose import ComposeProject, compose_project
from sandboxd.plan.label import image_labels, of_label
from sandboxd.plan.mounts import target_folder
from sandboxd.plan.reasons import Downgrade


def describe(
    base: Document | None, config: Config, home: str | None, host: HostFacts
) -> tuple[Container | None, ComposeProject | None]:
    """The container that the hand-written config describes, and its Compose project; None for each that it does not
    have.

    The image's label is included: the label of the image in sandboxd.toml, if that names one.

    :raises UsageError: a build uses files from outside of the workspace
    """
    image = config.image
    label = of_label(image, host) if image is not None else None
    if base is None:
        return label, None
    variables = Variables(
        workspace=config.workspace,
        # A config may name another place, where the sandbox has nothing of it.
        mounted_at=target_folder(config.workspace),
        home=home,
        realpath=os.path.realpath,
        files=Files(load=read_beside),
        images=None if image is not None else image_labels(host),
    )
    container = _with_named_image(base, effective(base, variables))
    if container is None:
        return None, None
    if image is None and container.build is not None:
        _refuse_foreign_build(container.build.value, config.workspace)
    project = compose_project(base, container, variables)
    return (merge(label, container) if label is not None else container), project


def unsound(base: Document) -> tuple[Downgrade, ...]:
    """A downgrade if the text is not valid JSON, since the plan uses what could be parsed of it; else ()."""
    problems = base.tree.errors or base.tree.unread
    if not problems:
        return ()
    line = base.source.position(problems[0].span.start).line + 1
    path = os.path.basename(base.source.path)
    why = f"`{path}` cannot be read from line {line} on ({problems[0].message}): what it says there is lost"
    return (Downgrade(ControlName.CONFIG, why, "`sandboxd check` shows the place"),)


def _with_named_image(base: Document, container: Container | None) -> Container | None:
    """`container` with the image of the property `image`.

    Docker takes a stray word in `runArgs` for the image; a plan leaves such words out.
    """
    if container is None or container.image is None or container.image.origin.key != "runArgs":
        return container
    node = base.tree.root.get("image") if base.tree.root is not None else None
    text = node.text() if node is not None else None
    if node is None or text is None:
        return container._replace(image=None)
    path = base.source.path
    place = Place(path, node.span)
    return container._replace(
        image=Value(text, Origin("file", path, "image"), place, text, (node,))
    )


def _refuse_foreign_build(build: Build, workspace: str) -> None:
    """Refuse a build context outside of the workspace: its files are copied into the image.

    :raises UsageError: it lies outside
    """
    inside = os.path.realpath(workspace).rstrip("/") + "/"
    for what, value in (("context", build.context), ("Dockerfile", build.dockerfile)):
        if value is None or "://" in value.value or value.value.startswith("git@"):
            continue
        path = value.value
        if what == "Dockerfile" and not path.startswith("/") and build.context is not None:
            path = os.path.join(build.context.value, path)
        if "\0" in path or not f"{os.path.realpath(path)}/".startswith(inside):
            raise UsageError(
                f"the build's {what} `{value.written or path}` lies outside of the workspace, so "
                "files of the host could be copied into the sandbox",
                'correct it, or name an image: `image = "..."` in sandboxd.toml',
            )
