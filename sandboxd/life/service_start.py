"""Starts a project's services as planned, each when those that it waits for are ready.

A service that does not start or is not healthy does not fail the start: it is reported, with those that wait for it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.engine import failures
from sandboxd.errors import UsageError
from sandboxd.life import services
from sandboxd.life.end import remove
from sandboxd.life.service_wait import early_end, wait
from sandboxd.model.labels import PLAN, START
from sandboxd.plan.services import in_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.engine.client import Engine
    from sandboxd.life.services import Surroundings
    from sandboxd.model.engine_answers import CreateRequest
    from sandboxd.plan.plan import Plan
    from sandboxd.plan.service import Need, Service


STEADY_SECONDS = 1.0
"""Seconds that each started service is watched. A program that lacks a setting, a file or a right usually ends within
this time; a later end is shown by `status`.
"""


class Sick(NamedTuple):
    """A service that did not start, or is not in the state that others wait for.

    `why` is a predicate to put behind the service's name; `hint` is the next step, '' for none.
    """

    service: str
    why: str
    hint: str = ""


class _Wanted(NamedTuple):
    service: Service
    request: CreateRequest
    archive: bytes


def follow(
    engine: Engine,
    plan: Plan,
    around: Surroundings,
    start: str,
    progress: Callable[[str], None],
    check: Callable[[], None] = lambda: None,
) -> tuple[Sick, ...]:
    """Make exactly the services of `plan` run as planned; return those that fail to.

    Returns when the services that the workspace waits for are ready, and every started one has run for a second or has
    ended.

    :param around: the networks and folders that they are started with
    :param start: the random number of the start that they belong to
    :param check: called while waiting; ends the wait by raising
    :raises EnvironmentFailure: the engine does not answer
    """
    run = _Run(engine, plan, start, progress, check)
    wanted = [each for service in plan.services if (each := run.request(service, around))]
    # All that goes first: another may be about to get its address.
    running = set(run.clear({services.name_of(plan.sandbox, w.service.name): w for w in wanted}))
    chosen = {each.service.container.name: each for each in wanted}
    for service in in_order(plan.services):
        if service.container.name in chosen and service.name not in running:
            run.start(chosen[service.container.name])
    for need in plan.compose.needs if plan.compose is not None else ():
        if need.service in chosen:
            run.meet(need)
    run.name_early_ends()
    return tuple(run.sick.values())


class _Run:
    def __init__(
        self,
        engine: Engine,
        plan: Plan,
        start: str,
        progress: Callable[[str], None],
        check: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._plan = plan
        self._start = start
        self._progress = progress
        self._check = check
        self._names = {each.container.name: each.name for each in plan.services}
        self._started: dict[str, Service] = {}
        self._last_start = 0.0
        self.sick: dict[str, Sick] = {}

    def request(self, service: Service, around: Surroundings) -> _Wanted | None:
        """The create request for `service`; None where its files cannot be copied."""
        try:
            archive = services.archive_of(service, self._plan)
        except UsageError as error:
            self._name(service.container.name, f"is not started: {error.message}", error.hint)
            return None
        return _Wanted(service, services.body(service, self._plan, around, archive), archive)

    def clear(self, wanted: dict[str, _Wanted]) -> list[str]:
        """Remove services that do not run as wanted; returns those that do."""
        running, others = [], []
        for old in services.find(self._engine, self._plan.sandbox):
            each = wanted.get(old.name)
            same = (
                each is not None and old.labels.get(PLAN) == each.request["Labels"][PLAN]
            ) and old.state == "running"
            if same and each is not None:
                running.append(each.service.name)
            else:
                others.append(old)
        services.end(self._engine, others)
        return running

    def start(self, wanted: _Wanted) -> None:
        """Start a service once all its needs are met, else name it."""
        service, request = wanted.service, wanted.request
        written, image = service.container.name, request["Image"]
        for need in service.needs:
            if not self._is_met(need, written):
                return
        if not self._engine.has_image(image):
            why = f"is not started: its image `{image}` is not there"
            self._name(written, why, f"get it (`docker pull {image}`, or `sandboxd up --pull`)")
            return
        self._progress(f"starting the service `{written}` from `{image}`")
        try:
            self._create(wanted)
        except failures.CannotStart as error:
            self._name(written, f"does not start: {error.message}", error.hint)
        else:
            self._started[written] = service
            self._last_start = time.monotonic()

    def name_early_ends(self) -> None:
        """Name those that were started and fail within `STEADY_SECONDS`: nobody may wait for them."""
        unsettled = [name for name in self._started if name not in self.sick]
        while unsettled:
            self._check()
            is_last_look = time.monotonic() - self._last_start >= STEADY_SECONDS
            unsettled = [name for name in unsettled if not self._has_ended(self._started[name])]
            if is_last_look:
                return
            time.sleep(0.1)

    def _has_ended(self, service: Service) -> bool:
        """Whether `service` has ended; one that failed is named."""
        why = early_end(self._engine, services.name_of(self._plan.sandbox, service.name))
        if why:
            written, restart = service.container.name, service.container.restart
            hint = f"sandboxd logs --service {written}"
            if restart is not None and restart.value != "no":
                hint = (
                    f"`{hint}`; `restart` does nothing here: say in `depends_on` what it waits for"
                )
            self._name(written, why, hint)
        return why is not None

    def meet(self, need: Need) -> bool:
        """Wait until a need is met; a service that cannot meet it is named. Returns whether it is met."""
        if need.service in self.sick:
            return False
        name = services.name_of(self._plan.sandbox, self._names[need.service])
        why = wait(self._engine, name, need, self._progress, self._check)
        if why:
            self._name(need.service, why, f"sandboxd logs --service {need.service}")
        return not why

    def _is_met(self, need: Need, waiting: str) -> bool:
        """Whether `need` of the service `waiting` is met; else that one is named, too."""
        if need.service not in self._names:
            if need.is_required and need.service != self._workspace_service():
                why = (
                    f"is not started: it needs `{need.service}`, which `sandboxd up` does not start"
                )
                self._name(waiting, why)
                return False
            return True
        if self.meet(need):
            return True
        if need.is_required:
            self._name(waiting, f"is not started: it needs `{need.service}`")
        return not need.is_required

    def _workspace_service(self) -> str:
        return self._plan.compose.service if self._plan.compose is not None else ""

    def _create(self, wanted: _Wanted) -> None:
        wanted.request["Labels"][START] = self._start
        name = services.name_of(self._plan.sandbox, wanted.service.name)
        container = self._engine.create(name, wanted.request)
        try:
            if wanted.archive:
                self._engine.put_archive(container, "/", wanted.archive)
            self._engine.start(container)
        except BaseException:
            remove(self._engine, container)
            raise

    def _name(self, service: str, why: str, hint: str = "") -> None:
        self.sick[service] = Sick(service, why, hint)
