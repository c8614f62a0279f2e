"""A running container's controls, looked at once for every screen that shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import EnvironmentFailure
from sandboxd.observe import host_process, inspection, look_inside, outside
from sandboxd.observe.control import Control
from sandboxd.observe.controls import controls

if TYPE_CHECKING:
    from sandboxd.engine.answers import Inspected
    from sandboxd.engine.client import Engine


class Look(NamedTuple):
    """The result of one look at a container.

    `problem` is why the inside did not answer, '' when it did or was not asked; `hint` is the next step then.
    """

    controls: tuple[Control, ...]
    problem: str = ""
    hint: str = ""
    points: frozenset[str] = frozenset()
    """The mount points that the image's own programs show; empty where they were not asked."""


def look(engine: Engine, inspected: Inspected, host_boot_id: str, cache_folder: str | None) -> Look:
    """Look at a running or paused container from outside, and, where it runs, from inside.

    :param inspected: the engine's description of it
    :param host_boot_id: '' where it is hidden
    :param cache_folder: where our Python for an observer is kept
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
