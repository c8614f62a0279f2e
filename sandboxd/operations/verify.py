"""Runs escape attempts inside a sandbox, and saves the verdict."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.backends.backend import Ability
from sandboxd.engine.interruption import Step, counted, interruptible, never, silent
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.operations import _plan, recording
from sandboxd.operations._folder import project_folder
from sandboxd.operations.options import VerifyOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.backends.backend import Attack, Backend
    from sandboxd.engine.client import Engine
    from sandboxd.engine.interruption import Cancel, Progress
    from sandboxd.observe.control import Control
    from sandboxd.operations._plan import Facts
    from sandboxd.operations.request import Request
    from sandboxd.plan.plan import Plan
    from sandboxd.verify.verdict import Verdict

NEEDS_FACTS = True


class Verified(NamedTuple):
    """A verdict, the seconds that the attempts took, and the controls observed with it."""

    verdict: Verdict
    seconds: float
    controls: tuple[Control, ...]
    """() unless they were asked for. For a fresh container, which is removed again, those that the attempts themselves
    show.
    """


def serve(request: Request) -> Verified:
    """Run `verify` with `VerifyOptions`."""
    options = request.read_options(VerifyOptions)
    if options.is_fresh or options.container:
        return verify_other(
            request.engine,
            request.directory,
            request.environ,
            container=options.container,
            is_fresh=options.is_fresh,
            with_controls=options.with_controls,
            facts=request.facts,
            progress=request.progress,
            cancel=request.cancel,
        )
    directory, environ, cancel = request.directory, request.environ, request.cancel
    attacked = attack(
        request.backend,
        directory,
        environ,
        name=request.name,
        facts=request.facts,
        progress=request.progress,
        cancel=cancel,
    )
    controls: tuple[Control, ...] = ()
    if options.with_controls and Ability.SHOW_CONTROLS not in request.backend.cannot:
        engine = interruptible(request.engine, cancel)
        controls = _look(engine, attacked.container, environ, attacked.verdict)
    return Verified(attacked.verdict, attacked.seconds, controls)


def decode(document: Mapping[str, Any]) -> Verified:
    """The `Verified` in a document that `wire.encode` made."""
    from sandboxd.observe.control import Control
    from sandboxd.verify.place import Place
    from sandboxd.verify.verdict import Result, Verdict

    verdict = document["verdict"]
    results = tuple(Result(**result) for result in verdict["results"])
    place = Place(**verdict["place"]) if verdict["place"] is not None else None
    controls = tuple(Control(**control) for control in document["controls"])
    return Verified(
        Verdict(**{**verdict, "results": results, "place": place}), document["seconds"], controls
    )


def attack(
    backend: Backend,
    directory: str,
    environ: Mapping[str, str],
    *,
    name: str = "",
    facts: Facts = None,
    progress: Progress = silent,
    cancel: Cancel | None = None,
) -> Attack:
    """Run every attempt in the running sandbox `name` of the project that `directory` lies in, and record the verdict.

    :raises EnvironmentFailure: as `Backend.attack`
    """
    project = project_folder(directory)

    def plan() -> Plan:
        return _plan.for_comparison(project, environ, facts, name)

    attacked = backend.attack(project, name, plan, progress, cancel or never())
    if problem := recording.verified(environ, attacked.sandbox, attacked.verdict):
        progress(Step(problem))
    return attacked


def verify_other(
    engine: Engine,
    directory: str,
    environ: Mapping[str, str],
    *,
    container: str | None = None,
    is_fresh: bool = False,
    with_controls: bool = False,
    facts: Facts = None,
    progress: Progress = silent,
    cancel: Cancel | None = None,
) -> Verified:
    """Run every attempt in a container of this machine that need not be a project's sandbox.

    :param container: a running one, by id or name; its plan is not known
    :param is_fresh: a new one of the plan of the project that `directory` lies in
    :param with_controls: also observe the controls, for a report
    :raises UsageError: both `container` and `is_fresh` are given
    :raises EnvironmentFailure: no such container runs, or it is not on this machine
    """
    if is_fresh and container:
        raise UsageError(
            "a container that is named cannot be fresh", "drop `--fresh`, or `--container`"
        )
    cancel = cancel or never()
    engine = interruptible(engine, cancel)
    tell = counted(progress, cancel, "attempts")
    if container:
        verdict, seconds = _attack_named(engine, container, tell)
    else:
        verdict, seconds = _attack_fresh(engine, directory, environ, facts, tell)
    controls = _look(engine, container or "", environ, verdict) if with_controls else ()
    return Verified(verdict, seconds, controls)


def _attack_named(
    engine: Engine, container: str, tell: Callable[[int, int], None]
) -> tuple[Verdict, float]:
    from sandboxd.backends.docker.attack import attack as attack_container
    from sandboxd.engine.failures import ContainerGone

    try:
        return attack_container(engine, container, None, tell)
    except ContainerGone:
        raise EnvironmentFailure(
            f"no container `{container}` is running", "`docker ps` lists those that run"
        ) from None


def _attack_fresh(
    engine: Engine,
    directory: str,
    environ: Mapping[str, str],
    facts: Facts,
    tell: Callable[[int, int], None],
) -> tuple[Verdict, float]:
    """Attack a container of the plan that is made for it; the sandbox in use is left alone."""
    from sandboxd.backends.docker.attack import verify_plan

    plan = _plan.for_comparison(directory, environ, facts)
    began = time.monotonic()
    verdict = verify_plan(engine, plan, tell)
    return verdict, time.monotonic() - began


def _look(
    engine: Engine, container: str, environ: Mapping[str, str], verdict: Verdict
) -> tuple[Control, ...]:
    """The controls of a container, '' for one that was removed again, and what the attempts themselves show."""
    from sandboxd.backends.docker.controls import look
    from sandboxd.verify import seccomp_classes

    controls: tuple[Control, ...] = ()
    if container:
        inspected = engine.inspect(container)
        controls = look(engine, inspected, environ, is_as_planned=True).controls
    return controls + seccomp_classes.classes(verdict)
