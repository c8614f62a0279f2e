"""The daemon: one process per user that keeps projects generated and answers commands and editors."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping

from sandboxd import __version__
from sandboxd.daemon import activation, memory
from sandboxd.daemon.caches import Caches
from sandboxd.daemon.claim import Claim, claim
from sandboxd.daemon.commands import Commands
from sandboxd.daemon.editors import Editors
from sandboxd.daemon.keeper import Keeper
from sandboxd.daemon.lifetime import Lifetime
from sandboxd.daemon.operating import Operating
from sandboxd.daemon.project_methods import ProjectMethods
from sandboxd.daemon.projects import EngineKey
from sandboxd.daemon.status_methods import StatusMethods
from sandboxd.ipc import address, messages
from sandboxd.ipc.server import Server

LONGEST_TURN_SECONDS = 0.05
"""The longest time that one step may block the event loop."""

SWITCH_SECONDS = 0.0005
"""Python's thread switch interval: the thread that halts a sandbox must not wait longer than a millisecond."""

log = logging.getLogger(__name__)


class Service:
    """Assembles the daemon from its parts; each part names the methods of `ipc.messages` that it handles in
    `handlers`.
    """

    def __init__(self, environ: Mapping[str, str], idle_seconds: float | None = None) -> None:
        own_folder = os.path.join(address.folder(environ, os.getuid()), "watching")
        self.keeper = Keeper(
            environ,
            self._emit,
            own_folder,
            self._host_changed,
            lambda error: self.lifetime.fail(error),
        )
        self.status = StatusMethods(self.keeper)
        self.editors = Editors(self.keeper, self.status.row_of)
        self.operating = Operating(
            environ,
            self.keeper.hosts,
            self._started,
            self.keeper.gateways,
            self.keeper.local_rights,
            self.keeper.places,
            self.keeper.copies,
            self.keeper.exchanges,
        )
        self.caches = Caches(self.keeper.hosts, lambda: len(self.operating) > 0)
        self.commands = Commands(environ, self.keeper.hosts, self.keeper.remember_soon)
        self.lifetime = Lifetime(self.keeper, self.editors, self.operating, idle_seconds)
        self.server = Server(
            {
                **self.status.handlers,
                **ProjectMethods(self.keeper).handlers,
                **self.operating.handlers,
                **self.commands.handlers,
                **self.lifetime.handlers,
            },
            {"version": __version__, "protocol": messages.PROTOCOL, "pid": os.getpid()},
            {messages.LSP_ATTACH: self.editors.attach},
        )

    def stop(self) -> None:
        """End soon, in order."""
        self.lifetime.stop()

    async def serve(self, claimed: Claim, listener: socket.socket | None = None) -> None:
        """Serve clients until told to stop, or until nobody has needed the daemon for long.

        :param listener: a socket on which a service manager listens already; None to make one
        :raises Exception: that of a background job that failed and without which the daemon cannot go on
        """
        try:
            # Whoever comes first is told of all that is remembered.
            await self.keeper.start()
            await self.server.listen(claimed.path, listener)
            log.info("version %s listens on %s (pid %d)", __version__, claimed.path, os.getpid())
            activation.notify(os.environ, "READY=1")
            await self.lifetime.wait(claimed, self.server, may_hand_over=listener is None)
        finally:
            activation.notify(os.environ, "STOPPING=1")
            await self.commands.close()
            await self.server.close()
            await self.editors.close()
            await self.caches.close()
            await self.keeper.close()
            log.info("stopped")
        if self.lifetime.failure is not None:
            raise self.lifetime.failure

    def _started(self, workspace: str, key: EngineKey, stale: bool) -> None:
        """Handle the start of a sandbox, before its client is answered."""
        self.keeper.register_soon(workspace, key, stale)
        self.caches.look_soon(key)

    def _host_changed(self, key: EngineKey) -> None:
        self.editors.host_changed(key)

    def _emit(self, event: messages.Event) -> None:
        """Report an event to the log, the editors and the clients that watch."""
        level = logging.DEBUG if event["kind"] == "unchanged" else logging.INFO
        log.log(level, "%s", " ".join(f"{key}={value}" for key, value in event.items()))
        if event["kind"] == "network":
            self.editors.names_changed()
        elif "path" in event:
            self.editors.project_changed(event["path"])
        self.status.tell(event, self.server.connections)


def run(environ: Mapping[str, str], idle_seconds: float | None = None) -> None:
    """Run as the daemon until SIGTERM, SIGINT, a request to stop, or idleness.

    :raises DaemonError: another daemon runs, or the folder for the socket cannot be trusted
    """
    _allow_many_clients()
    sys.setswitchinterval(SWITCH_SECONDS)
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
    """Raise the soft limit of open files to the hard one: the usual soft limit is 1,024."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    if soft < target:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
