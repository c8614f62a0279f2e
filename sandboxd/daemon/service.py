"""The daemon: one process per user that keeps projects generated and answers commands."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from sandboxd import __version__
from sandboxd.daemon import activation, memory, rows
from sandboxd.daemon.claim import Claim, claim
from sandboxd.daemon.editors import Editors
from sandboxd.daemon.handover import Handover
from sandboxd.daemon.hosts import World
from sandboxd.daemon.keeper import Keeper
from sandboxd.daemon.operating import Operating
from sandboxd.daemon.projects import EngineKey
from sandboxd.daemon.tasks import Tasks
from sandboxd.ipc import address, messages
from sandboxd.ipc.server import Connection, InvalidParams, Server, text_param
from sandboxd.status import as_json, text
from sandboxd.status.combine import Examined, combine
from sandboxd.status.model import DaemonLine, ProjectStatus, StatusReport

IDLE_SECONDS = 10 * 60.0
"""Ends after this long without a client when no project is registered."""

IDLE_WITH_PROJECTS_SECONDS = 12 * 3600.0
"""The same while projects are registered: counted from their last change."""

_IDLE_LOOK_SECONDS = 30.0

_MOST_SHOWN = 20
"""Of more projects only those are shown that run or have a problem, and the one of the caller."""

_CHECKING_SECONDS = 0.1
"""How long `status` waits for projects that were saved just now; then it says so."""

LONGEST_TURN_SECONDS = 0.05
"""How long anything may keep all others waiting."""

log = logging.getLogger(__name__)


class Caller(NamedTuple):
    """Who asks: the engine that is meant, and the project that the working directory is in.

    `visited` is what the project at `here` comes to when it is not one that we keep.
    """

    engine: EngineKey
    here: str
    visited: Examined | None = None


class Service:
    """Answers the methods of `ipc.messages`."""

    def __init__(self, environ: Mapping[str, str], idle_seconds: float | None = None) -> None:
        self._stopping = asyncio.Event()
        self._idle_seconds = idle_seconds
        self._watchers: set[Connection] = set()
        self._handing_over = asyncio.Event()
        self._may_hand_over = True
        self._look_at_place: Callable[[], None] = lambda: None
        own_folder = os.path.join(address.folder(environ, os.getuid()), "watching")
        self._failure: BaseException | None = None
        self._tasks = Tasks("the service", self._fail)
        self.keeper = Keeper(environ, self._emit, own_folder, self._host_changed, self._fail)
        self.editors = Editors(self.keeper, self._status_of)
        self.operating = Operating(environ, self.keeper.hosts)
        self.handover = Handover(environ, self.keeper.hosts)
        self.server = Server(
            {
                messages.STATUS_RENDER: self._render,
                messages.STATUS_WATCH: self._watch,
                messages.PROJECT_REGISTER: self._register,
                messages.PROJECT_FORGET: self._forget,
                messages.PROJECT_LIST: self._list,
                messages.SHUTDOWN: self._shutdown,
                **self.operating.handlers,
                **self.handover.handlers,
            },
            {"version": __version__, "protocol": messages.PROTOCOL, "pid": os.getpid()},
            {messages.LSP_ATTACH: self.editors.attach},
        )

    def stop(self) -> None:
        """End soon, in order."""
        self._stopping.set()

    def _fail(self, error: BaseException) -> None:
        """End with an error: half of a daemon would say what is no longer true. The next command, or
        the service manager, starts another one."""
        log.critical("a permanent job failed, so the daemon ends: %r", error)
        self._failure = error
        self.stop()

    async def serve(self, claimed: Claim, listener: socket.socket | None = None) -> None:
        """Listen until told to stop, or until nobody has needed us for long.

        :raises Exception: a permanent job failed with it
        """
        # Who hands us a socket starts the next daemon when this one ends, and not before.
        self._may_hand_over = listener is None
        await self.server.listen(claimed.path, listener)
        log.info("version %s listens on %s (pid %d)", __version__, claimed.path, os.getpid())
        await self.keeper.start()
        self._keep_place(claimed)
        self.editors.warm()
        activation.notify(os.environ, "READY=1")
        self._tasks.spawn_essential(self._stop_when_idle())
        self._tasks.spawn_essential(self._hand_over(claimed))
        try:
            await self._stopping.wait()
        finally:
            activation.notify(os.environ, "STOPPING=1")
            await self._tasks.close()
            await self.handover.close()
            await self.server.close()
            await self.editors.close()
            await self.keeper.close()
            log.info("stopped")
        if self._failure is not None:
            raise self._failure

    def _keep_place(self, claimed: Claim) -> None:
        """Whoever cleans up in the folder of the socket must not leave us running and unreachable."""

        def look(_paths: Collection[str] = ()) -> None:
            if self._handing_over.is_set() or self._stopping.is_set():
                return
            if not claimed.is_in_place():
                log.warning("the lock is gone: another daemon may take over")
                self._handing_over.set()
            elif not os.path.lexists(claimed.path):
                self.keeper.tasks.spawn(self._listen_again(claimed))

        self._look_at_place = look
        self.keeper.watching.watch_also(self, frozenset({claimed.folder}), look)

    async def _listen_again(self, claimed: Claim) -> None:
        if claimed.keep_socket:
            # It is the service manager's to make; it starts the next daemon, too.
            self._handing_over.set()
        elif not os.path.lexists(claimed.path):
            log.warning("the socket is gone; listening on a new one")
            await self.server.listen(claimed.path)

    async def _hand_over(self, claimed: Claim) -> None:
        """When asked to: make way for another daemon, but serve our editors to their end.

        Their unsaved text is in our memory; ending would cost them their session.
        """
        await self._handing_over.wait()
        self.server.stop_listening()
        await self.keeper.close()
        claimed.release()
        log.info(
            "another daemon takes over; %d editors and %d operations stay here",
            len(self.editors),
            len(self.operating),
        )
        await self.editors.all_left()
        await self.operating.all_done()
        self.stop()

    def report(self, caller: Caller, world: World, shown: Collection[str]) -> StatusReport:
        """What is known now of the projects `shown`, as seen by `caller`."""
        found = [self._row(path, world, caller.engine) for path in shown]
        if caller.visited is not None:
            found.append(combine(caller.here, caller.visited, world.observed)._replace(kept=False))
        daemon = DaemonLine(
            running=True,
            version=__version__,
            pid=os.getpid(),
            projects=len(self.keeper.projects),
            watching="polling" if self.keeper.watching.watcher.problem else "events",
            problem="; ".join(
                filter(None, (self.keeper.watching.watcher.problem, self.keeper.registry.problem))
            ),
        )
        is_current = self.keeper.hosts.is_current(caller.engine)
        age = 0.0 if is_current else time.monotonic() - world.at
        return StatusReport(daemon, world.facts, tuple(found), age, caller.here)

    def _row(self, path: str, world: World, engine: EngineKey) -> ProjectStatus:
        project = self.keeper.projects.get(path)
        if project is None:
            return ProjectStatus(path, "missing")  # forgotten meanwhile
        if project.engine != engine:
            world = self.keeper.hosts.known(project.engine)
        examined = None if project.is_due else project.examined
        if examined is None:
            row = combine(path, Examined(exists=project.scan.exists), world.observed)
            return row._replace(kept=project.keeps, checking=True, hint="")
        return combine(path, examined, world.observed)._replace(kept=project.keeps)

    async def _asked(self, connection: Connection) -> tuple[Caller, World]:
        """Who asks, and the world as it is now."""
        engine = self._engine(connection)
        assert connection.hello is not None, "served before the greeting"
        found = await self.keeper.find(connection.hello["cwd"])
        if found is None or found in self.keeper.projects:
            world = await self.keeper.hosts.fresh(engine)
            await self.keeper.settled(found, _CHECKING_SECONDS)
            return Caller(engine, found or ""), world
        self.keeper.visit(found, engine)
        world = await self.keeper.hosts.fresh(engine)
        await self.keeper.settled(None, _CHECKING_SECONDS)
        examined = await self.keeper.examine(found, engine, world)
        return Caller(engine, found, examined), world

    async def _render(self, connection: Connection, params: dict[str, Any]) -> messages.Rendered:
        caller, world = await self._asked(connection)
        if params.get("format") != "json":
            return {"exit": 0, "text": self._screen(caller, world, params)}
        if len(self.keeper.projects) <= _MOST_SHOWN:
            return {"exit": 0, "text": self._document(caller, world)}
        # So many take a while, in which others want to be served.
        return {"exit": 0, "text": await asyncio.to_thread(self._document, caller, world)}

    def _screen(self, caller: Caller, world: World, params: Mapping[str, Any]) -> str:
        columns = params.get("columns")
        if not isinstance(columns, int) or not 0 < columns < 10000:
            raise InvalidParams("`columns` is not a number of columns")
        shown, others = rows.choose(self.keeper.projects, caller.here, world.observed, _MOST_SHOWN)
        report = self.report(caller, world, shown)._replace(others=others)
        return text.render(report, colour=params.get("colour") is True, columns=columns)

    def _document(self, caller: Caller, world: World) -> str:
        projects = sorted(self.keeper.projects.copy())
        head = self.report(caller, world, ())
        found = (self._row(path, world, caller.engine) for path in projects)
        result = as_json.render(head, itertools.chain(found, head.projects))
        if len(projects) > _MOST_SHOWN:
            memory.give_back()
        return result

    async def _watch(self, connection: Connection, params: dict[str, Any]) -> dict[str, Any]:
        caller, world = await self._asked(connection)
        # No await from here to the end: nothing can happen between snapshot and first event.
        if params.get("format") == "json":
            snapshot = self._document(caller, world)
        else:
            snapshot = self._screen(caller, world, params)
        connection.notify(messages.SNAPSHOT, {"exit": 0, "text": snapshot})
        connection.notify(messages.LIVE, {})
        self._watchers.add(connection)
        return {}

    async def _list(self, _connection: Connection, _params: dict[str, Any]) -> messages.Listed:
        """The remembered projects; nothing is looked at."""
        return {
            "projects": [
                {"path": path, "keeps": project.keeps, "exists": project.scan.exists}
                for path, project in sorted(self.keeper.projects.items())
            ]
        }

    async def _register(self, connection: Connection, params: dict[str, Any]) -> dict[str, Any]:
        path = text_param(params, "path")
        if not path.startswith("/") or "\0" in path:
            raise InvalidParams("`path` is not an absolute path")
        keeps, waits = params.get("keeps") is not False, params.get("wait") is not False
        job = self.keeper.register(os.path.realpath(path), self._engine(connection), keeps)
        if waits:
            await job
        else:
            self.keeper.tasks.spawn(job)
        return {}

    async def _forget(self, _connection: Connection, params: dict[str, Any]) -> dict[str, Any]:
        return {"known": await self.keeper.forget(os.path.realpath(text_param(params, "path")))}

    async def _shutdown(self, _connection: Connection, params: dict[str, Any]) -> dict[str, Any]:
        is_needed = len(self.editors) + len(self.operating) > 0
        stays = params.get("handover") is True and is_needed and self._may_hand_over
        # After the answer is on its way.
        end = self._handing_over.set if stays else self.stop
        asyncio.get_running_loop().call_later(0.02, end)
        return {}

    def _engine(self, connection: Connection) -> EngineKey:
        """The engine that a client means."""
        assert connection.hello is not None, "served before the greeting"
        return self.keeper.hosts.key(connection.hello["engine"])

    def _host_changed(self, key: EngineKey) -> None:
        self.editors.host_changed(key)

    def _status_of(self, path: str, engine: EngineKey) -> ProjectStatus | None:
        """What is known now of a project that we keep."""
        project = self.keeper.projects.get(path)
        if project is None:
            return None
        return self._row(path, self.keeper.hosts.known(engine), engine)

    def _emit(self, event: messages.Event) -> None:
        level = logging.DEBUG if event["kind"] == "unchanged" else logging.INFO
        log.log(level, "%s", " ".join(f"{key}={value}" for key, value in event.items()))
        if "path" in event:
            self.editors.project_changed(event["path"])
        self._watchers &= self.server.connections
        for connection in self._watchers:
            connection.notify(messages.EVENT, event)

    async def _stop_when_idle(self) -> None:
        needed = time.monotonic()
        while True:
            limit = self._idle_seconds
            if limit is None:
                limit = IDLE_WITH_PROJECTS_SECONDS if self.keeper.projects else IDLE_SECONDS
            await asyncio.sleep(min(limit / 4 + 0.01, _IDLE_LOOK_SECONDS))
            self._look_at_place()
            now = time.monotonic()
            needed = (
                now
                if self.server.connections or self.operating
                else max(needed, self.keeper.watching.active_at)
            )
            if now - needed > limit:
                log.info("nobody needed the daemon for %.0f s", limit)
                self.stop()


def run(environ: Mapping[str, str], idle_seconds: float | None = None) -> None:
    """Be the daemon until SIGTERM, SIGINT, a request to stop, or idleness.

    :raises DaemonError: there is one already, or its folder cannot be trusted
    """
    _allow_many_clients()
    memory.keep_together()
    where = address.folder(environ, os.getuid())
    listener = activation.inherited(environ, address.socket_path(where))
    with claim(where, keep_socket=listener is not None) as claimed:
        asyncio.run(_main(environ, claimed, listener, idle_seconds))


async def _main(
    environ: Mapping[str, str],
    claimed: Claim,
    listener: socket.socket | None,
    idle_seconds: float | None,
) -> None:
    service = Service(environ, idle_seconds)
    loop = asyncio.get_running_loop()
    # With PYTHONASYNCIODEBUG=1 whatever keeps the loop for longer is logged.
    loop.slow_callback_duration = LONGEST_TURN_SECONDS
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)
    # The terminal that we were started from may go; we stay.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    await service.serve(claimed, listener)


def _allow_many_clients() -> None:
    """Use as many descriptors as we may: the usual soft limit is 1,024."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
