"""The differences between a project's other services and their plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import UsageError
from sandboxd.observe.drift import Drift

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine
    from sandboxd.model.engine_answers import Inspected
    from sandboxd.plan.plan import Plan


def drifts(engine: Engine, plan: Plan, sandbox: Inspected) -> tuple[Drift, ...]:
    """The differences between the project's running services and those that `plan` would start for `sandbox`; () for
    none.

    :param sandbox: the sandbox's container, as the engine describes it
    """
    from sandboxd.life import egress, networks, services
    from sandboxd.observe import inspection
    from sandboxd.observe.drift import differences

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
