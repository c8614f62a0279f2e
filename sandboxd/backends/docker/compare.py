"""Compares a container, its gateway and its services with the plan that it was started by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.backends.backend import Comparison
from sandboxd.backends.docker import controls
from sandboxd.errors import UsageError
from sandboxd.life import egress, find, networks, services
from sandboxd.model.labels import EGRESS, MADE_BY, UP
from sandboxd.model.sandbox_id import name_option
from sandboxd.observe import inspection
from sandboxd.observe.drift import Drift, differences, of_lost
from sandboxd.observe.pin import anew, headline
from sandboxd.plan.writers.engine import arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.model.engine_answers import Inspected
    from sandboxd.observe.control import Control
    from sandboxd.plan.plan import Plan


def compare(
    engine: Engine,
    environ: Mapping[str, str],
    project: str,
    name: str,
    plan_of: Callable[[str], Plan],
) -> Comparison:
    """Compare the running sandbox `name` of the project in the folder `project` with its plan.

    :param plan_of: makes the plan that a container was started by, from its id
    :raises ContainerGone: no such sandbox runs
    """
    container = find.locate(engine, project, name, even_halted=True)
    plan = plan_of(container.id)
    inspected = engine.inspect(container.id)
    live = inspection.container(inspected)
    # Only `up` keeps volumes that last: another tool's container has none.
    compared = plan if live.label(MADE_BY) == UP else plan.of_other_tools()
    drifts = differences(inspection.requested(arguments(compared)), live)
    if plan.egress is not None:
        drifts += service_drifts(engine, plan, inspected)
    looked = controls.look(engine, inspected, environ, is_as_planned=not drifts)
    drifts = (*of_lost(looked.pins), *drifts)
    if live.label(EGRESS):
        drifts += _of_gateway(looked.controls)
    lost = headline(looked.pins)
    hint = anew(live.label(MADE_BY), name_option(plan.sandbox)) if lost else ""
    return Comparison(plan.sandbox, container.name, drifts, looked.controls, lost, hint)


def service_drifts(engine: Engine, plan: Plan, sandbox: Inspected) -> tuple[Drift, ...]:
    """The differences between the project's running services and those that `plan` would start for `sandbox`; () for
    none.

    :param sandbox: the sandbox's container, as the engine describes it
    """
    present = {each.name: each for each in services.find(engine, plan.sandbox)}
    pair = networks.pair_of(engine, plan.sandbox)
    if pair is None:
        return ()
    around = egress.surroundings(engine, pair.inner, sandbox)
    results: list[Drift] = []
    for service in plan.services:
        label = f"service {service.container.name}"
        live = present.pop(services.name_of(plan.sandbox, service.name), None)
        if live is None:
            results.append(Drift(label, "started", ""))
            continue
        try:
            body = services.body(service, plan, around, services.archive_of(service, plan))
        except UsageError as error:
            results.append(Drift(label, "copies of its files", error.message))
            continue
        inspected = engine.inspect(live.id)
        if problem := _end(inspected):
            results.append(Drift(label, "running", problem))
        results += [
            drift._replace(control=f"{label}: {drift.control}")
            for drift in differences(inspection.requested(body), inspection.container(inspected))
        ]
    results += [Drift(f"service {name}", "", each.state) for name, each in present.items()]
    return tuple(results)


def _end(inspected: Inspected) -> str:
    """The end of a service that should run, in words; '' for one that runs, or that ended well."""
    state = inspected["State"]
    if state.get("Running") or (state.get("Status") == "exited" and not state.get("ExitCode")):
        return ""
    return f"{state.get('Status')} ({state.get('ExitCode')})"


def _of_gateway(controls: Iterable[Control]) -> tuple[Drift, ...]:
    """A difference for a gateway that does not hold, which is no part of the container."""
    return tuple(
        Drift("gateway", "names through a gateway that runs", control.why)
        for control in controls
        if control.name == "network" and control.state == "not in force"
    )
