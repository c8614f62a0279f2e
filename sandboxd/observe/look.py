"""Observes the controls of a running container once, for every screen that shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import EnvironmentFailure
from sandboxd.observe import host_process, inspection, look_inside, outside
from sandboxd.observe.control import Control
from sandboxd.observe.controls import controls

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine
    from sandboxd.model.engine_answers import Inspected


class Look(NamedTuple):
    """The result of observing a container once.

    `problem` is the reason why no program could be run inside, '' if it could or none was; `hint` is the next step
    then.
    """

    controls: tuple[Control, ...]
    problem: str = ""
    hint: str = ""
    points: frozenset[str] = frozenset()
    """The mount points that the image's own programs show; empty if they were not run."""


def look(engine: Engine, inspected: Inspected, host_boot_id: str, cache_folder: str | None) -> Look:
    """Observe a running or paused container from outside, and, if it runs, also from inside.

    :param inspected: the engine's description of it
    :param host_boot_id: the host's boot id; '' if it cannot be read
    :param cache_folder: where the Python for an observer container is cached; None for no cache
    :raises EnvironmentFailure: the engine does not answer
    """
    live = inspection.container(inspected)
    around = outside.look(engine, inspected)
    process = host_process.look(inspected)
    if process is None and not around.is_gvisor:
        # Late: it is not needed where the host's /proc is readable, and it imports much.
        from sandboxd.observe import observer

        process = observer.look(engine, inspected, cache_folder)
    inside, problem, hint = None, "", ""
    if not (inspected.get("State") or {}).get("Paused"):
        try:
            inside = look_inside.look(engine, str(inspected["Id"]))
        except EnvironmentFailure as error:
            problem, hint = error.message, error.hint
    points = (
        frozenset(point for point, _, _ in inside.mounts) if inside is not None else frozenset()
    )
    return Look(controls(live, process, around, inside, host_boot_id), problem, hint, points)
