"""The controls of a container, as every operation shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.model.engine_answers import Inspected
    from sandboxd.observe.control import Control
    from sandboxd.observe.pin import Pin


class Look(NamedTuple):
    """The controls and the pinned files of a sandbox, as observed at one moment."""

    controls: tuple[Control, ...]
    pins: tuple[Pin, ...]


def look(
    engine: Engine, inspected: Inspected, environ: Mapping[str, str], *, is_as_planned: bool
) -> Look:
    """Observe the controls of a sandbox, and add what the last `verify` of this container proved.

    :param inspected: the container, as the engine describes it
    :param is_as_planned: whether the sandbox equals its plan; if not, results of `verify` are left out
    """
    from sandboxd.folders import cache_folder
    from sandboxd.host.trials import host_boot_id
    from sandboxd.life.gateway_look import with_gateway
    from sandboxd.life.services_look import with_services
    from sandboxd.observe import pins
    from sandboxd.observe.controls import without_lost
    from sandboxd.observe.look import look as look_at
    from sandboxd.screen import duration
    from sandboxd.verify import last_verdict
    from sandboxd.verify.proof import with_proof

    view = look_at(engine, inspected, host_boot_id() or "", cache_folder(environ))
    controls = with_gateway(engine, view.controls, inspected)
    controls = with_services(engine, controls, inspected)
    of_now = pins.look(pins.subject(inspected, view.points))
    verdict = last_verdict.recall(str(inspected["Id"]))
    if verdict is None or not is_as_planned or verdict.identity != last_verdict.identity(inspected):
        return Look(without_lost(controls, of_now), of_now)
    age = duration(last_verdict.age_seconds(verdict.when))
    return Look(without_lost(with_proof(controls, verdict.outcomes, age), of_now), of_now)
