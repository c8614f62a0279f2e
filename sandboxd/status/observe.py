"""Observes the projects' containers: asks the engine about them, and observes each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import NamedTuple, TypeVar

from sandboxd.engine.client import Engine, Summary, connect_from
from sandboxd.errors import SandboxdError
from sandboxd.folders import cache_folder
from sandboxd.host.trials import host_boot_id
from sandboxd.life import find
from sandboxd.life.gateway_look import with_gateway
from sandboxd.life.services_look import with_services
from sandboxd.model.container import Container
from sandboxd.model.engine_answers import Inspected
from sandboxd.model.labels import MADE_BY, PROJECT, UP
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.observe import inspection, pins
from sandboxd.observe.control import Control
from sandboxd.observe.look import Look, look
from sandboxd.observe.pins import Subject
from sandboxd.plan.container_name import container_name
from sandboxd.state import given_rights
from sandboxd.verify import last_verdict

T = TypeVar("T")


class Sandbox(NamedTuple):
    """A project's container. If it does not run, nothing is in force, and `container` is None.

    With a `problem`, a part of it did not answer; the rest was observed nevertheless.
    """

    running: bool
    container: Container | None = None
    controls: tuple[Control, ...] = ()
    id: str = ""
    identity: str = ""
    """A digest of the container in its present run and its settings; a result of `verify` only applies to an equal one.
    """
    paused: bool = False
    problem: str = ""
    hint: str = ""
    pinned: Subject | None = None
    """The facts for checking its pins. Each user checks anew, as the engine reports no event when a pin is lost. None
    if it has none.
    """
    name: str = ""
    is_editors: bool = False
    """Whether an editor, or another client, created it from the generated file."""


class Run(NamedTuple):
    """A running or paused container; `identity` is as in `Sandbox`, '' if the container did not answer."""

    sandbox: str
    container: str
    identity: str
    is_paused: bool = False


class Observed(NamedTuple):
    """Sandboxes by their identity; empty and with a `problem` if the engine does not answer, so that nothing is
    known.
    """

    containers: Mapping[str, Sandbox]
    problem: str = ""
    hint: str = ""
    runs: frozenset[Run] = frozenset()
    """All running or paused containers, including a second one of the same sandbox."""
    beside: tuple[tuple[str, Sandbox], ...] = ()
    """Further containers of the same sandboxes, each with the sandbox's identity."""

    def has_running(self) -> bool:
        """Whether a sandbox runs, of any project that was looked for."""
        return any(not run.is_paused for run in self.runs) or any(
            sandbox.running for sandbox in self.containers.values()
        )


LOOK_SECONDS = 20.0
"""The time limit for all containers, which are observed in parallel; it is only reached if a sandbox or its runtime
hangs.
"""

_REMEMBERED = 1000
_AT_ONCE = 32
_LIVE = ("running", "paused")

NOT_ASKED = Observed({}, "the engine has not been asked yet")


class Observer:
    """Observes containers; a result is reused until the engine reports another state of the container, because each
    observation starts a process in the sandbox.

    :param everywhere: whether running sandboxes of other projects are included in `Observed.runs`
    """

    def __init__(self, everywhere: bool = False) -> None:
        self._everywhere = everywhere
        self._looks: dict[str, tuple[str, Look]] = {}

    def observe(self, environ: Mapping[str, str], workspaces: Collection[str]) -> Observed:
        """Observe the containers of `workspaces` on the engine that `environ` names. Blocks, for a limited time.

        Containers are observed in parallel, so one that hangs does not delay the others.
        """

        def is_asked_about(summary: Summary) -> bool:
            return workspace_of(summary.labels.get(PROJECT, "")) in workspaces

        try:
            present = connect_from(environ).containers(PROJECT)
        except SandboxdError as error:
            return Observed({}, error.message, error.hint)
        chosen: dict[str, tuple[Summary, Sandbox]] = {}
        runs, beside = [], []
        asked = [summary for summary in present if is_asked_about(summary)]
        for summary, sandbox in _side_by_side(partial(self._look, environ), asked, _hanging):
            identity = summary.labels[PROJECT]
            if sandbox is not None and (sandbox.running or sandbox.paused) and sandbox.id:
                runs.append(Run(identity, sandbox.id, sandbox.identity, sandbox.paused))
            if sandbox is None:
                continue
            sandbox = sandbox._replace(
                name=summary.name, is_editors=summary.labels.get(MADE_BY) != UP
            )
            other = chosen.get(identity)
            if _is_better(summary, other):
                chosen[identity] = summary, sandbox
                beside += [(identity, other[1])] if other is not None else []
            else:
                beside.append((identity, sandbox))
        if self._everywhere:
            others = [s for s in present if s.state in _LIVE and not is_asked_about(s)]
            answers = _side_by_side(partial(_run, environ), others, lambda _summary: None)
            runs += [run for _, run in answers if run is not None]
        shown = {identity: sandbox for identity, (_, sandbox) in chosen.items()}
        return Observed(shown, runs=frozenset(runs), beside=tuple(sorted(beside, key=_by_name)))

    def _look(self, environ: Mapping[str, str], summary: Summary) -> Sandbox | None:
        """The observation of a container; None when its label only claims that it is the project's."""
        try:
            engine = connect_from(environ)
            inspected = _inspect(engine, summary)
            if inspected is None:
                return _renamed(environ, summary)
            state = _state(inspected, summary)
            if state not in _LIVE:
                return Sandbox(False, id=summary.id)
            identity = last_verdict.identity(inspected)
            view = self._look_once(engine, inspected, identity, environ)
        except SandboxdError as error:
            if summary.state not in _LIVE:
                return Sandbox(False)
            return _hanging(summary)._replace(problem=error.message, hint=error.hint)
        return Sandbox(
            state == "running",
            inspection.container(inspected),
            with_services(engine, with_gateway(engine, view.controls, inspected), inspected),
            summary.id,
            identity,
            state == "paused",
            view.problem,
            view.hint,
            pins.subject(inspected, view.points),
        )

    def _look_once(
        self,
        engine: Engine,
        inspected: Inspected,
        identity: str,
        environ: Mapping[str, str],
    ) -> Look:
        # While it is paused nothing inside can be asked.
        run = f"{identity} {bool((inspected.get('State') or {}).get('Paused'))}"
        run_before, view = self._looks.get(inspected["Id"], ("", Look(())))
        if run_before != run or view.problem:
            view = look(engine, inspected, host_boot_id() or "", cache_folder(environ))
            if len(self._looks) >= _REMEMBERED:
                self._looks.clear()
            self._looks[inspected["Id"]] = run, view
        return view


def _by_name(beside: tuple[str, Sandbox]) -> tuple[str, str]:
    identity, sandbox = beside
    return identity, sandbox.name


def _side_by_side(
    look: Callable[[Summary], T], summaries: Collection[Summary], hanging: Callable[[Summary], T]
) -> list[tuple[Summary, T]]:
    """Call `look` for each summary in threads; the result of `hanging` stands for one that takes too long."""
    threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="look")
    try:
        looks = {threads.submit(look, summary): summary for summary in summaries}
        answered, _ = wait(looks, LOOK_SECONDS)
    finally:
        # A look that hangs ends by its own time limit, without delaying this call.
        threads.shutdown(wait=False, cancel_futures=True)
    return [
        (summary, each.result() if each in answered else hanging(summary))
        for each, summary in looks.items()
    ]


def _inspect(engine: Engine, summary: Summary) -> Inspected | None:
    """The engine's answer about a container; None if it only claims by its labels to be a project's."""
    return engine.inspect(summary.id) if find.is_believed(engine, summary) else None


def _state(inspected: Inspected, summary: Summary) -> str:
    # The list lags behind: the event of a pause comes before the list shows it, and none follows.
    return (inspected.get("State") or {}).get("Status") or summary.state


def _run(environ: Mapping[str, str], summary: Summary) -> Run | None:
    """The run of a container that nobody asked about; None where it does not run, or only claims to be a project's."""
    try:
        inspected = _inspect(connect_from(environ), summary)
    except SandboxdError:
        return None
    if inspected is None or (state := _state(inspected, summary)) not in _LIVE:
        return None
    identity = last_verdict.identity(inspected)
    return Run(summary.labels[PROJECT], summary.id, identity, state == "paused")


def _hanging(summary: Summary) -> Sandbox:
    return Sandbox(
        summary.state == "running",
        id=summary.id,
        paused=summary.state == "paused",
        problem=f"`{summary.name}` does not answer: waited {LOOK_SECONDS:.0f} s",
        hint="end it (`sandboxd down`) and start it again (`sandboxd up`)",
    )


def _renamed(environ: Mapping[str, str], summary: Summary) -> Sandbox | None:
    """A container of `up` that goes on under another name, so that no command finds it; None for any other one.

    Without its id, as nobody attends to it: its gateway lets nothing through.
    """
    name = container_name(summary.labels[PROJECT])
    if summary.state not in _LIVE or summary.labels.get(MADE_BY) != UP or summary.name == name:
        return None
    # By its id, which no image can claim.
    if all(each.container != summary.id for each in given_rights.entries(environ)):
        return None
    return Sandbox(
        summary.state == "running",
        paused=summary.state == "paused",
        problem=f"its container is called `{summary.name}` by now, under which no command finds it",
        hint=f"`docker rename {summary.name} {name}`, or end it: `docker rm -f {summary.name}`",
    )


def _is_better(summary: Summary, other: tuple[Summary, Sandbox] | None) -> bool:
    """Whether this container is shown instead of `other`: a running one first, then one made by `up`."""
    return other is None or _rank(summary) > _rank(other[0])


def _rank(summary: Summary) -> tuple[int, bool]:
    live = {"running": 2, "paused": 1}.get(summary.state, 0)
    return live, summary.labels.get(MADE_BY) == UP
