"""The methods `status/...`: the state of the projects as text or JSON, once or as a stream of events."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from sandboxd import __version__
from sandboxd.daemon import memory
from sandboxd.daemon.callers import Caller, directory_of, engine_of
from sandboxd.daemon.hosts import World
from sandboxd.daemon.keeper import Keeper
from sandboxd.daemon.places import Place
from sandboxd.daemon.projects import EngineKey, Tracked
from sandboxd.exchange import waiting_refs
from sandboxd.ipc import messages
from sandboxd.ipc.parameters import InvalidParams
from sandboxd.ipc.server import Connection, Handler
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.project.here import sessions
from sandboxd.state import measurement
from sandboxd.status import as_json, lost_pins, text
from sandboxd.status.combine import Examined, combine, state
from sandboxd.status.hooks import hooks_now
from sandboxd.status.model import (
    DaemonLine,
    NamesStatus,
    OpenPort,
    ProjectStatus,
    State,
    StatusReport,
)
from sandboxd.status.names_now import names_now
from sandboxd.status.observe import Observed
from sandboxd.sync import words


def choose_rows(
    projects: Mapping[str, Tracked], here: str, observed: Observed, most: int
) -> tuple[list[str], dict[State, int]]:
    """The paths of the projects to show, and the number of the others in each state.

    At most `most` are shown: first the one at `here`, then those with a sandbox, named or not, then those with a problem. With at
    most `most` projects all are shown.

    :param here: the path of the caller's project, '' for none
    """
    if len(projects) <= most:
        return sorted(projects), {}
    first = [here] if here in projects else []
    with_sandbox = projects.keys() & {workspace_of(each) for each in observed.containers}
    broken = sorted(
        path
        for path, project in projects.items()
        if (project.has_problem or not project.scan.exists)
        and path != here
        and path not in with_sandbox
    )
    shown = (first + sorted(with_sandbox - {here}) + broken)[:most]
    left_out = projects.keys() - set(shown)
    counted = Counter(_state(projects[path], observed) for path in left_out)
    return sorted(shown), dict(counted)


def _state(project: Tracked, observed: Observed) -> State:
    return state(project.path, project.scan.exists, project.is_valid, observed)


_MOST_SHOWN = 20
"""Of more projects only those are shown that run or have a problem, and the one of the caller."""

_CHECKING_SECONDS = 0.1
"""Seconds that `status` waits for projects that were saved just now; then it says so."""


class StatusMethods:
    """Answers `status` requests, and sends events to the clients that watch."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._watchers: set[Connection] = set()
        self.handlers: dict[str, Handler] = {
            messages.STATUS_RENDER: self._render,
            messages.STATUS_WATCH: self._watch,
        }

    def tell(self, event: messages.Event, connections: Collection[Connection]) -> None:
        """Send an event to the clients that watch.

        :param connections: all open connections
        """
        self._watchers.intersection_update(connections)
        for connection in self._watchers:
            connection.notify(messages.EVENT, event)

    def row_of(self, path: str, engine: EngineKey) -> ProjectStatus | None:
        """The status of a project as it is known now; None for one that is not registered."""
        if path not in self._keeper.projects:
            return None
        return self._row(path, self._keeper.hosts.known(engine), engine)

    async def _render(self, connection: Connection, params: dict[str, Any]) -> messages.Rendered:
        caller, world = await self._ask(connection)
        if params.get("format") != "json":
            if params.get("format") == "all" and len(self._keeper.projects) > _MOST_SHOWN:
                return {
                    "exit": 0,
                    "text": await asyncio.to_thread(self._screen, caller, world, params),
                }
            return {"exit": 0, "text": self._screen(caller, world, params)}
        if len(self._keeper.projects) <= _MOST_SHOWN:
            return {"exit": 0, "text": self._document(caller, world)}
        # Many rows take a while, so other clients are served in between.
        return {"exit": 0, "text": await asyncio.to_thread(self._document, caller, world)}

    async def _watch(self, connection: Connection, params: dict[str, Any]) -> dict[str, Any]:
        caller, world = await self._ask(connection)
        # No await from here to the end: nothing can happen between snapshot and first event.
        if params.get("format") == "json":
            snapshot = self._document(caller, world)
        else:
            snapshot = self._screen(caller, world, params)
        connection.notify(messages.SNAPSHOT, {"exit": 0, "text": snapshot})
        connection.notify(messages.LIVE, {})
        self._watchers.add(connection)
        return {}

    async def _ask(self, connection: Connection) -> tuple[Caller, World]:
        """The client, and the world as it is now."""
        keeper, engine = self._keeper, engine_of(connection, self._keeper.hosts)
        here = await keeper.find(directory_of(connection), engine)
        if here is None or here in keeper.projects:
            world = await keeper.hosts.fresh(engine)
            await keeper.settled(here, _CHECKING_SECONDS)
            return Caller(engine, here or ""), world
        keeper.visit(here, engine)
        world = await keeper.hosts.fresh(engine)
        await keeper.settled(None, _CHECKING_SECONDS)
        examined = await keeper.examine(here, engine, world)
        return Caller(engine, here, examined), world

    def _screen(self, caller: Caller, world: World, params: Mapping[str, Any]) -> str:
        columns = params.get("columns")
        if not isinstance(columns, int) or not 0 < columns < 10000:
            raise InvalidParams("`columns` is not a number of columns")
        form = text.form(str(params.get("format")))
        projects = self._keeper.projects
        most = len(projects) if form == "all" else _MOST_SHOWN
        shown, others = choose_rows(projects, caller.here, world.observed, most)
        report = self._report(caller, world, shown)._replace(others=others)
        return text.render(report, form, colour=params.get("colour") is True, columns=columns)

    def _document(self, caller: Caller, world: World) -> str:
        projects = sorted(self._keeper.projects.copy())
        head = self._report(caller, world, ())
        rows_of_projects = (self._row(path, world, caller.engine) for path in projects)
        result = as_json.render(head, itertools.chain(rows_of_projects, head.projects))
        if len(projects) > _MOST_SHOWN:
            memory.give_back()
        return result

    def _report(self, caller: Caller, world: World, shown: Collection[str]) -> StatusReport:
        """The report on the projects `shown` as they are known now, for `caller`."""
        keeper = self._keeper
        projects = [self._row(path, world, caller.engine) for path in shown]
        if caller.visited is not None:
            own = sessions(keeper.hosts.environ(caller.engine), caller.here)
            unwatched = keeper.halts.problem(caller.here)
            visited = combine(
                caller.here, caller.visited, world.observed, sessions=own, unwatched=unwatched
            )
            projects.append(visited._replace(keeps=caller.visited.is_bare))
        problem = keeper.watching.watcher.problem
        daemon = DaemonLine(
            running=True,
            version=__version__,
            pid=os.getpid(),
            projects=len(keeper.projects),
            watching="polling" if problem else "events",
            problem="; ".join(filter(None, (problem, keeper.registry.problem))),
        )
        is_current = keeper.hosts.is_current(caller.engine)
        age = 0.0 if is_current else time.monotonic() - world.at
        return StatusReport(daemon, world.facts, tuple(projects), age, caller.here)

    def _row(self, path: str, world: World, engine: EngineKey) -> ProjectStatus:
        project = self._keeper.projects.get(path)
        if project is None:
            return ProjectStatus(path, "missing")  # forgotten meanwhile
        if project.engine != engine:
            world = self._keeper.hosts.known(project.engine)
        examined = None if project.is_due else project.examined
        if examined is None:
            row = combine(path, Examined(exists=project.scan.exists), world.observed)
            hint = row.hint if lost_pins.texts_of(row) else ""
            return row._replace(keeps=project.keeps, checking=True, hint=hint)
        place = self._keeper.places.find(project.engine, path)
        names = self._names(place, examined, project.engine)
        environ = self._keeper.hosts.environ(project.engine)
        hooks = hooks_now(environ, path, examined, world.observed)
        ports = self._keeper.local_rights.lines(place)
        measured = measurement.recall(environ, path)
        own = sessions(environ, path)
        unwatched = self._keeper.halts.problem(path)
        row = combine(path, examined, world.observed, names, hooks, ports, measured, own, unwatched)
        waiting = waiting_refs.lines(path, environ)
        return row._replace(
            keeps=project.keeps,
            open_ports=self._open_ports(row, place),
            waiting=waiting,
            copy=words.lines(environ, path) if row.state == "running" else (),
        )

    def _open_ports(self, row: ProjectStatus, place: Place) -> tuple[OpenPort, ...]:
        return self._keeper.local_rights.open_ports(place) if row.state == "running" else ()

    def _names(self, place: Place, examined: Examined, engine: EngineKey) -> NamesStatus | None:
        """The record of the gateway of a running sandbox; None where no gateway is attended to."""
        gateways, environ = self._keeper.gateways, self._keeper.hosts.environ(engine)
        ledger, behind = gateways.ledger(place), gateways.behind(place)
        shut = gateways.shut(place)
        return names_now(environ, place.workspace, examined, ledger, time.time(), behind, shut)
