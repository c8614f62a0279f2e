"""Images of gateways, and images that were built for projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.engine import failures
from sandboxd.model.labels import GATEWAY_IMAGE
from sandboxd.operations.prune.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.model.engine_answers import ImageSummary

ORDER = 4

BUILT = "sandboxd-built/"
GATEWAYS = "sandboxd-gateway:"


def find(engine: Engine, _environ: Mapping[str, str]) -> Iterator[Entry]:
    """Yield each image that sandboxd made and that has a name of ours."""
    names = {container.image for container in engine.containers()}
    for image in engine.images(GATEWAY_IMAGE):
        for name in image.get("RepoTags") or []:
            if name.startswith(GATEWAYS):
                yield _entry(
                    engine, image, name, "of gateways; made again in seconds", names, False
                )
    for image in engine.images_named(f"{BUILT}*"):
        for name in image.get("RepoTags") or []:
            if name.startswith(BUILT):
                yield _entry(engine, image, name, "built for a project", names, True)


def _entry(
    engine: Engine, image: ImageSummary, name: str, about: str, used: set[str], holds_work: bool
) -> Entry:
    identifier = image["Id"]
    # The engine shows a container's image by its name, its id, or the beginning of that.
    short = identifier.removeprefix("sha256:")[:12]
    is_used = not used.isdisjoint((name, identifier, short))
    state = "work" if holds_work else "unused"
    return Entry(
        "image",
        name,
        about,
        image.get("Size"),
        "in use" if is_used else state,  # type: ignore[arg-type]
        lambda: _free(engine, name),
    )


def _free(engine: Engine, name: str) -> bool:
    try:
        engine.remove_image(name)
    except failures.EngineFailure:
        # A container uses it that was made meanwhile.
        return False
    return True
