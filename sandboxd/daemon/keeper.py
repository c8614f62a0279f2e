"""Keeps the daemon's registered projects generated, and reacts when something that they depend on changes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from sandboxd.daemon import memory, registry_file
from sandboxd.daemon.copies import Copies
from sandboxd.daemon.exchanges import Exchanges
from sandboxd.daemon.gateways import Gateways
from sandboxd.daemon.generation import Generation
from sandboxd.daemon.halts import Halts
from sandboxd.daemon.hosts import Hosts, World
from sandboxd.daemon.left_engines import LeftEngines
from sandboxd.daemon.local_rights import LocalRights
from sandboxd.daemon.places import Places, View
from sandboxd.daemon.policies import Policies
from sandboxd.daemon.projects import EngineKey, Tracked
from sandboxd.daemon.registry import Registry
from sandboxd.daemon.relay import Relays, is_gvisor
from sandboxd.daemon.scan import batched, scan_all
from sandboxd.daemon.tasks import Tasks
from sandboxd.daemon.threads import Threads
from sandboxd.daemon.watching import Watching
from sandboxd.errors import DaemonError
from sandboxd.ipc import messages
from sandboxd.model.labels import EGRESS
from sandboxd.model.sandbox_id import name_of, workspace_of
from sandboxd.plan import generate
from sandboxd.plan.inner_network import RESOLV_FILE
from sandboxd.project.here import workspace_of_folder
from sandboxd.status.combine import Examined
from sandboxd.status.examine import examine
from sandboxd.status.observe import Observed

if TYPE_CHECKING:
    from sandboxd.model.remote import Port

MISSING_SECONDS = 24 * 3600.0
"""Seconds after which a project whose folder is gone is forgotten."""

_FEW = 20
"""Of so many projects `settled` waits for all."""

_MOST_VISITED = 100

_ANSWER_SECONDS = 0.02
"""Seconds that the answer to a client takes."""

log = logging.getLogger(__name__)


class Keeper:
    """All registered projects. To be used on the event loop; files are read and written in threads."""

    def __init__(
        self,
        environ: Mapping[str, str],
        emit: Callable[[messages.Event], None],
        own_folder: str,
        host_changed: Callable[[EngineKey], None] | None = None,
        fatal: Callable[[BaseException], None] = lambda _error: None,
    ) -> None:
        """
        :param emit: called with each event about a project or the host
        :param own_folder: a folder for the file watcher alone; it is made when needed
        :param host_changed: called when an engine or its runtimes changed
        :param fatal: called when a background job failed without which projects are not kept up to date
        """
        self._environ = environ
        self._tell_host_changed = host_changed
        self._is_closed = False
        self._emit = emit
        self._threads = Threads()
        self._visited: set[str] = set()
        self._relays = Relays()
        self.tasks = Tasks("the keeper", fatal)
        self.registry = Registry(registry_file.registry_path(environ))
        self.projects = self.registry.projects
        self.hosts = Hosts(
            environ,
            lambda: {*self.projects, *self._visited},
            self._host_changed,
            self._sandbox_changed,
            lambda key, runs: self.halts.update(key, runs),
        )
        self.left_engines = LeftEngines(self.hosts, environ, self._threads)
        self.places = Places(self.hosts.address)
        self.gateways = Gateways(self.hosts, emit)
        self.local_rights = LocalRights(self.hosts, emit, self._asked_ports)
        self.halts = Halts(self.hosts, emit)
        self.generation = Generation(
            self.registry,
            self.hosts,
            self._threads,
            self.tasks,
            self._generated,
            lambda: self.watching.rewatch(),
        )
        self.policies = Policies(environ, self._policies_changed)
        self.watching = Watching(
            self.projects,
            self.policies,
            own_folder,
            self.generation,
            self._threads,
            self.tasks,
            self._refresh_rights,
            self._forget_missing,
            self.places.workspaces,
        )
        self.exchanges = Exchanges(self.hosts, self.watching)
        self.copies = Copies(self.hosts)

    async def start(self) -> None:
        """Load the registered projects and begin to watch them."""
        await self.registry.load()
        # A policy that changes from now on is noticed, whatever was read under the one of before.
        await self.policies.look()
        self.tasks.spawn_essential(self.policies.look_for_ever())
        self.tasks.spawn_essential(self.registry.run())
        self.generation.start()
        self.watching.start()
        # One that no client names by now may run what was given something.
        await self.left_engines.take_up({project.engine for project in self.projects.values()})
        self.tasks.spawn_essential(self.left_engines.check_for_ever())
        self.tasks.spawn_essential(self._take_up())

    async def close(self) -> None:
        """Stop writing and watching."""
        if self._is_closed:
            return
        self._is_closed = True
        self.watching.end()
        self.exchanges.close()
        await asyncio.to_thread(self.copies.close)
        await self.tasks.close()
        await self.registry.close()
        self._relays.close()
        self.gateways.close()
        self.local_rights.close()
        self.halts.close()
        await self.watching.watcher.close()
        await self.hosts.close()
        self._threads.close()

    def register(
        self, path: str, engine: EngineKey, keeps: bool = True
    ) -> Coroutine[Any, Any, None]:
        """Register the project at `path`, to be generated after each change; returns when that was done once.

        :param keeps: False registers it without ever writing to it; a project that is generated already stays so
        :raises DaemonError: this daemon ends or makes way for another one
        """
        if self._is_closed:
            raise DaemonError(
                f"the daemon ends and does not take up `{path}`", "run the command again"
            )
        return self._register(path, engine, keeps)

    def register_soon(self, path: str, engine: EngineKey, stale: bool) -> None:
        """Register the project of a sandbox that was started, after its client got its answer.

        It is generated from now on if it has generated files: `up` needs none, and the folder is the user's.

        :param stale: whether to write the generated files again though no config file changed
        """

        def register() -> None:
            if not self._is_closed:
                for view in self.places.of_workspace(path):
                    # What a start chose anew.
                    self.copies.update(*view)
                known = self.projects.get(path)
                keeps = (known is not None and known.keeps) or generate.is_there(path)
                self.tasks.spawn(self._register(path, engine, keeps, stale))

        asyncio.get_running_loop().call_later(_ANSWER_SECONDS, register)

    def remember_soon(self, folder: str, engine: EngineKey) -> None:
        """Register the project of `folder`, whose sandbox somebody uses, after the client got its answer; nothing is
        written.
        """

        def remember() -> None:
            if not self._is_closed:
                self.tasks.spawn(self._remember(folder, engine))

        asyncio.get_running_loop().call_later(_ANSWER_SECONDS, remember)

    async def _remember(self, folder: str, engine: EngineKey) -> None:
        path = await self.find(folder, engine)
        if path is not None:
            await self._register(path, engine, False)

    async def _register(
        self, path: str, engine: EngineKey, keeps: bool, force: bool = True
    ) -> None:
        project = self.projects.get(path)
        if project is not None and not keeps:
            return
        if project is None or (project.engine, project.keeps) != (engine, keeps):
            project = Tracked(path, engine, keeps)
            self.registry.add(project)
            await self.registry.saved()
            self.hosts.ask_all_again()
            for view in self.places.of_workspace(path):
                self._attend(view)
        self.watching.rewatch()
        await self.generation.look(project, time.monotonic(), force)
        self._make_network(path)

    async def settled(self, here: str | None, seconds: float) -> None:
        """Wait until the known state of the project `here` is up to date, at most for `seconds`.

        If few projects are registered, wait for all of them. Their files are compared, so that no event has to come
        first.

        :param here: None for no project
        """
        paths = list(self.projects) if len(self.projects) <= _FEW else [here or ""]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                for project in await self._in_doubt(paths):
                    project.happened()
                projects = [self.projects[path] for path in paths if path in self.projects]
                for project in projects:
                    if project.is_due:
                        self.generation.look_soon(project, time.monotonic())
                await self.generation.wait(projects)

    async def _in_doubt(self, paths: Collection[str]) -> list[Tracked]:
        """The projects among `paths` whose files changed; all of them when the look takes too long.

        An outdated state of a project is never shown as its present one.
        """
        try:
            await self.policies.look()
            return await self.watching.changed(paths)
        except asyncio.CancelledError:
            for path in paths:
                if (project := self.projects.get(path)) is not None:
                    project.happened()
                    self.generation.look_soon(project, time.monotonic())
            raise

    async def forget(self, path: str) -> bool:
        """Unregister a project; its files stay as they are. False if it was not registered."""
        project = self.projects.get(path)
        if project is None or not self.registry.remove(path):
            return False
        self.gateways.forget(path, project.engine)
        self.local_rights.forget(path)
        self.exchanges.forget(path)
        self.copies.forget(path)
        self.watching.rewatch()
        await self.registry.saved()
        return True

    async def find(self, cwd: str, engine: EngineKey) -> str | None:
        """The workspace that `cwd` is in, found as by `project.here`; registered projects count, too. None for none."""
        environ = self.hosts.environ(engine)
        return await self._threads.run(workspace_of_folder, cwd, environ, self.projects)

    def visit(self, path: str, engine: EngineKey) -> None:
        """Observe the sandbox of a project that a client asks about and that is not registered."""
        if path not in self._visited:
            if len(self._visited) >= _MOST_VISITED:
                self._visited.clear()
            self._visited.add(path)
            self.hosts.ask_again(engine)

    async def examine(self, path: str, engine: EngineKey, world: World) -> Examined:
        """Examine a project without writing anything.

        :param world: the facts about the host; without facts the result is an empty one
        """
        if world.facts is None:
            return Examined()
        return await self._threads.run(examine, path, self.hosts.environ(engine), world.facts)

    async def _take_up(self) -> None:
        """Watch the remembered projects, then look at them: a change in between is seen twice, not missed.

        First the projects whose config was saved while no daemon ran, then the ones used last.
        """
        new = [p for p in self.projects.values() if not p.is_known]
        for some in batched(new):
            scans = await self._threads.run(scan_all, [p.path for p in some])
            for project in some:
                if not project.is_known and not project.is_queued:
                    project.scan = scans[project.path].like(project.scan)
        await self.watching.watch_all()
        # The list was parsed as a whole.
        memory.give_back()
        self.generation.look_later(sorted(new, key=lambda p: (not p.scan.is_newest, -p.scan.saved)))

    def _forget_missing(self) -> None:
        """Forget projects whose folder has been missing for long; a disk that is mounted again comes back sooner."""
        latest = time.time() - MISSING_SECONDS
        for path, project in list(self.projects.items()):
            since = project.missing_since
            if not project.scan.exists and since is not None and since < latest:
                log.info("`%s` has been gone for a day and is forgotten", path)
                self.registry.remove(path)
                self.gateways.forget(path, project.engine)
                self.local_rights.forget(path)
                self.exchanges.forget(path)
                self.copies.forget(path)

    def _refresh_rights(self, path: str) -> None:
        """Have the sandboxes of a project lose at once what they may have no more, and get what is new."""
        self.gateways.refresh(path)
        self.local_rights.refresh(path)

    def _policies_changed(self) -> None:
        """Have every running sandbox lose at once what it may have no more; the projects are looked at one by one."""
        self.gateways.refresh_all()
        self.local_rights.refresh_all()
        self.generation.look_later(self.projects.values())

    def _generated(self, event: messages.Event) -> None:
        """Handle the outcome of a look at a project: its gateway may have to allow other names."""
        self._emit(event)
        # Also where a policy refuses the config, its grant is void, or its folder is gone: a gateway lets through what
        # is left.
        self._refresh_rights(event["path"])
        if event["kind"] == "regenerated" and RESOLV_FILE in event["files"]:
            self._make_network(event["path"])

    def _make_network(self, path: str) -> None:
        """Make the network that a generated file names, for an editor that starts it."""
        project = self.projects.get(path)
        if project is not None and project.keeps:
            self.gateways.make_network(path, project.engine, self._generate_again)

    def _generate_again(self, path: str) -> None:
        project = self.projects.get(path)
        if project is not None:
            self.generation.look_later([project])

    def _host_changed(self, key: EngineKey) -> None:
        """Look at all projects of an engine again: a runtime came or went, so plans may differ."""
        self._emit({"kind": "host", "message": "the engine or its runtimes are not what they were"})
        if self._tell_host_changed is not None:
            self._tell_host_changed(key)
        self.generation.look_later(p for p in self.projects.values() if p.engine == key)

    def _sandbox_changed(self, key: EngineKey, identity: str, observed: Observed) -> None:
        path, sandbox = workspace_of(identity), observed.containers.get(identity)
        whose = f"its sandbox `{name}`" if (name := name_of(identity)) else "its sandbox"
        if observed.problem:
            text = f"{whose} cannot be seen: {observed.problem}"
        elif sandbox is None:
            text = f"{whose} is gone"
        else:
            text = f"{whose} is {'running' if sandbox.running else 'stopped'}"
        self._emit({"kind": "sandbox", "path": path, "message": text})
        for view in self.places.see(key, identity, sandbox):
            self._attend(view)
            # One beside others works on a copy, which no edit of the host changes.
            if identity == path:
                self._relay(view)

    def _asked_ports(self, path: str) -> tuple[Port, ...] | None:
        """The ports that the plan of a project has for this machine; None where it has no plan at the moment."""
        project = self.projects.get(path)
        examined = project.examined if project is not None else None
        if examined is None or examined.problem or not examined.valid:
            return None
        return examined.ports

    def _relay(self, view: View) -> None:
        """Start or stop the relay of host edits: under gVisor, watchers inside hear nothing of them."""
        place, key, sandbox = view
        if sys.platform != "linux" or place.workspace not in self.projects:
            return
        facts = self.hosts.known(key).facts
        is_wanted = sandbox is not None and sandbox.running and is_gvisor(facts, sandbox.container)
        # What is kept the same is written inside.
        is_wanted = is_wanted and not self.copies.has(place)
        self._relays.update(place, self.hosts.environ(key), is_wanted)

    def _attend(self, view: View) -> None:
        """Read the events of a running sandbox's gateway, and keep it running while the sandbox does."""
        place, key, sandbox = view
        container = sandbox.container if sandbox is not None else None
        if place.workspace in self.projects:
            has_gateway = container is not None and bool(container.label(EGRESS))
            self.gateways.update(place, key, sandbox.id if sandbox and has_gateway else "")
            is_served = sandbox is not None and sandbox.running and not sandbox.paused
            self.local_rights.update(place, key, sandbox.id if sandbox and is_served else "")
            self.exchanges.update(place, key, sandbox)
            self.copies.update(place, key, sandbox)
