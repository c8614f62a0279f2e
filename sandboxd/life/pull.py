"""Gets the images that a plan starts from their registries, where the engine does not have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.engine.failures import EngineFailure
from sandboxd.engine.interruption import Step
from sandboxd.engine.pull import Done, pull
from sandboxd.engine.timeline import span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.engine.interruption import Cancel, Progress
    from sandboxd.plan.plan import Plan

_MIB = 1 << 20


def pull_missing(
    engine: Engine, plan: Plan, environ: Mapping[str, str], progress: Progress, cancel: Cancel
) -> None:
    """Get the image of the sandbox and those of its services; a service whose image cannot be had is left to its start,
    which names it.

    :raises EnvironmentFailure: the image of the sandbox cannot be had
    """
    if plan.recipe is None and not engine.has_image(plan.image()):
        _pull(engine, plan.image(), environ, progress, cancel)
    written = (service.container.image for service in plan.services)
    for image in sorted({each.value for each in written if each is not None}):
        if not engine.has_image(image):
            try:
                _pull(engine, image, environ, progress, cancel)
            except EngineFailure as failure:
                progress(Step(failure.message))


def _pull(
    engine: Engine, image: str, environ: Mapping[str, str], progress: Progress, cancel: Cancel
) -> None:
    last = ""

    def tell(done: Done) -> None:
        nonlocal last
        cancel.check()
        text = f"getting `{image}`"
        if done.total:
            text += f": {done.loaded // _MIB} of {-(-done.total // _MIB)} MiB"
        if text != last:
            last = text
            progress(Step(text, is_passing=True))

    tell(Done(0, 0))
    try:
        with span("build", "pull"):
            pull(engine, image, environ, tell, cancel.waits_on)
    except EngineFailure:
        # Closing the connection is how a cancel ends the waiting.
        cancel.check()
        raise
    progress(Step(f"got `{image}`"))
