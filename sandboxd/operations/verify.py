"""Runs escape attempts inside a sandbox, and saves the verdict."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.engine.interruption import Step, counted, interruptible, never, silent
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.operations import _controls, _plan, recording
from sandboxd.operations._folder import project_folder
from sandboxd.operations.options import VerifyOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    problem: str = ""
    """The reason why the verdict is not in the audit record; '' if it is, or if that was reported already."""


def serve(request: Request) -> Verified:
    """Run `verify` with `VerifyOptions`."""
    options = request.read_options(VerifyOptions)
    return verify(
        request.engine,
        request.directory,
        request.environ,
        name=request.name,
        container=options.container,
        is_fresh=options.is_fresh,
        with_controls=options.with_controls,
        facts=request.facts,
        progress=request.progress,
        cancel=request.cancel,
    )


def decode(document: Mapping[str, Any]) -> Verified:
    """The `Verified` in a document that `wire.encode` made."""
    from sandboxd.observe.control import Control
    from sandboxd.verify.verdict import Result, Verdict

    verdict = document["verdict"]
    results = tuple(Result(**result) for result in verdict["results"])
    controls = tuple(Control(**control) for control in document["controls"])
    return Verified(Verdict(**{**verdict, "results": results}), document["seconds"], controls)


def verify(
    engine: Engine,
    directory: str,
    environ: Mapping[str, str],
    *,
    name: str = "",
    container: str | None = None,
    is_fresh: bool = False,
    with_controls: bool = False,
    facts: Facts = None,
    progress: Progress = silent,
    cancel: Cancel | None = None,
) -> Verified:
    """Run every attempt in the running sandbox `name` of the project that `directory` lies in.

    :param container: attack this running container instead, by id or name; its plan is not known
    :param is_fresh: attack a new container of the plan instead, whether or not a sandbox runs
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
    if is_fresh:
        target = None
        verdict, seconds = _attack_fresh(engine, directory, environ, facts, tell)
    elif container:
        target = container
        verdict, seconds = _attack_named(engine, container, tell)
    else:
        from sandboxd.life.find import locate

        directory = project_folder(directory)
        target = locate(engine, directory, name, even_halted=True).id
        plan = _plan.for_comparison(directory, environ, facts, name)
        verdict, seconds = _attack(engine, target, plan, tell)
        if problem := recording.verified(environ, plan.sandbox, verdict):
            progress(Step(problem))
    controls = _look(engine, target, environ, verdict) if with_controls else ()
    return Verified(verdict, seconds, controls)


def _attack(
    engine: Engine, container: str, plan: Plan | None, tell: Callable[[int, int], None]
) -> tuple[Verdict, float]:
    from sandboxd.verify import last_verdict
    from sandboxd.verify.attack import verify as attack

    # Looked at first: a sandbox that ends in the middle is another one afterwards.
    inspected = engine.inspect(container)
    began = time.monotonic()
    verdict = attack(engine, container, plan, tell)
    seconds = time.monotonic() - began
    last_verdict.keep(inspected, verdict)
    return verdict, seconds


def _attack_named(
    engine: Engine, container: str, tell: Callable[[int, int], None]
) -> tuple[Verdict, float]:
    from sandboxd.engine.failures import ContainerGone

    try:
        return _attack(engine, container, None, tell)
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
    from sandboxd.verify.attack import verify_plan

    plan = _plan.for_comparison(directory, environ, facts)
    began = time.monotonic()
    verdict = verify_plan(engine, plan, tell)
    return verdict, time.monotonic() - began


def _look(
    engine: Engine, container: str | None, environ: Mapping[str, str], verdict: Verdict
) -> tuple[Control, ...]:
    from sandboxd.verify import seccomp_classes

    controls: tuple[Control, ...] = ()
    if container is not None:
        inspected = engine.inspect(container)
        controls = _controls.look(engine, inspected, environ, is_as_planned=True).controls
    return controls + seccomp_classes.classes(verdict)
