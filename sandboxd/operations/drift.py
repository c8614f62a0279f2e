"""Compare a running sandbox with its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.engine.interruption import interruptible, never
from sandboxd.errors import UsageError
from sandboxd.observe.drift import Drift
from sandboxd.operations import _controls, _plan, recording
from sandboxd.operations._folder import project_folder
from sandboxd.operations.options import SandboxOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.engine.interruption import Cancel
    from sandboxd.model.engine_answers import Inspected
    from sandboxd.observe.control import Control
    from sandboxd.observe.drift import Drift
    from sandboxd.operations._plan import Facts
    from sandboxd.operations.request import Request
    from sandboxd.plan.plan import Plan


def service_drifts(engine: Engine, plan: Plan, sandbox: Inspected) -> tuple[Drift, ...]:
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


NEEDS_FACTS = True


class Compared(NamedTuple):
    """The differences between a running container and its plan, and the observed state of its controls."""

    container: str
    differences: tuple[Drift, ...]
    controls: tuple[Control, ...]
    lost: str = ""
    """The pins that the host's own acts took away or made necessary, as `observe.pin.headline` says them; '' for none.

    They are among the differences.
    """
    hint: str = ""
    """The next step for the user if `lost` is not ''; else ''."""


def serve(request: Request) -> Compared:
    """Run `drift` with `SandboxOptions`."""
    options = request.read_options(SandboxOptions)
    return drift(
        request.engine,
        request.directory,
        request.environ,
        name=options.name,
        facts=request.facts,
        cancel=request.cancel,
    )


def decode(document: Mapping[str, Any]) -> Compared:
    """The `Compared` in a document that `wire.encode` made."""
    from sandboxd.observe.control import Control
    from sandboxd.observe.drift import Drift

    return Compared(
        document["container"],
        tuple(Drift(**difference) for difference in document["differences"]),
        tuple(Control(**control) for control in document["controls"]),
        document["lost"],
        document["hint"],
    )


def drift(
    engine: Engine,
    directory: str,
    environ: Mapping[str, str],
    *,
    name: str = "",
    facts: Facts = None,
    cancel: Cancel | None = None,
) -> Compared:
    """Compare the running sandbox `name` of the project that `directory` lies in with its plan.

    :raises ContainerGone: no such sandbox runs
    """
    from sandboxd.life.find import locate
    from sandboxd.model.labels import EGRESS, MADE_BY, UP
    from sandboxd.model.sandbox_id import name_option
    from sandboxd.observe import inspection
    from sandboxd.observe.drift import differences, of_lost
    from sandboxd.observe.pin import anew, headline
    from sandboxd.plan.writers.engine import arguments

    engine = interruptible(engine, cancel or never())
    directory = project_folder(directory)
    container = locate(engine, directory, name, even_halted=True)
    plan = _plan.as_started(directory, environ, container.id, facts, name)
    inspected = engine.inspect(container.id)
    live = inspection.container(inspected)
    # Only `up` keeps volumes that last: another tool's container has none.
    compared = plan if live.label(MADE_BY) == UP else plan.of_other_tools()
    drifts = differences(inspection.requested(arguments(compared)), live)
    if plan.egress is not None:
        drifts += service_drifts(engine, plan, inspected)
    looked = _controls.look(engine, inspected, environ, is_as_planned=not drifts)
    drifts = (*of_lost(looked.pins), *drifts)
    recording.drifted(environ, plan.sandbox, container.name, drifts)
    if live.label(EGRESS):
        drifts += _of_gateway(looked.controls)
    lost = headline(looked.pins)
    hint = anew(live.label(MADE_BY), name_option(plan.sandbox)) if lost else ""
    return Compared(container.name, drifts, looked.controls, lost, hint)


def _of_gateway(controls: Iterable[Control]) -> tuple[Drift, ...]:
    """A difference for a gateway that does not hold, which is no part of the container."""
    from sandboxd.observe.drift import Drift

    return tuple(
        Drift("gateway", "names through a gateway that runs", control.why)
        for control in controls
        if control.name == "network" and control.state == "not in force"
    )
