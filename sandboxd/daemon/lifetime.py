"""Decides when the daemon ends: when told to, when idle, after an error, or when another daemon replaces it."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Collection
from typing import Any

from sandboxd.daemon.claim import Claim
from sandboxd.daemon.editors import Editors
from sandboxd.daemon.keeper import Keeper
from sandboxd.daemon.operating import Operating
from sandboxd.daemon.tasks import Tasks
from sandboxd.ipc import messages
from sandboxd.ipc.server import Connection, Handler, Server

IDLE_SECONDS = 10 * 60.0
"""Without registered projects the daemon ends after this many seconds without a client and a running sandbox."""

IDLE_WITH_PROJECTS_SECONDS = 12 * 3600.0
"""The same with registered projects, counted from the last change in one of them."""

_LOOK_SECONDS = 30.0

log = logging.getLogger(__name__)


class Lifetime:
    """Waits until the daemon has to end, and restores its socket until then.

    :param idle_seconds: how long it runs without being needed; None for the defaults above
    """

    def __init__(
        self,
        keeper: Keeper,
        editors: Editors,
        operating: Operating,
        idle_seconds: float | None,
    ) -> None:
        self._keeper = keeper
        self._editors = editors
        self._operating = operating
        self._idle_seconds = idle_seconds
        self._stopping = asyncio.Event()
        self._handing_over = asyncio.Event()
        self._may_hand_over = True
        self._server: Server | None = None
        self._tasks = Tasks("the service", self.fail)
        self.failure: BaseException | None = None
        """The error that ends the daemon, None when it ends in order."""
        self.handlers: dict[str, Handler] = {messages.SHUTDOWN: self._shutdown}

    def stop(self) -> None:
        """End soon and in order; no new client is served from now on."""
        if self._server is not None:
            self._server.stop_listening()
        self._stopping.set()

    def fail(self, error: BaseException) -> None:
        """End with an error, since the daemon would show outdated state without the job that failed.

        The next command, or the service manager, starts another daemon.
        """
        log.critical("a permanent job failed, so the daemon ends: %r", error)
        self.failure = error
        self.stop()

    async def wait(self, claimed: Claim, server: Server, may_hand_over: bool) -> None:
        """Return when the daemon has to end.

        :param may_hand_over: False if a service manager passed the socket: it starts the next daemon only after this
            one has ended
        """
        self._may_hand_over, self._server = may_hand_over, server
        endpoint = _Endpoint(claimed, server, self._keeper)

        def look(_paths: Collection[str] = ()) -> None:
            if (
                not self._handing_over.is_set()
                and not self._stopping.is_set()
                and endpoint.is_lost()
            ):
                self._handing_over.set()

        self._keeper.watching.watch_also(self, frozenset({claimed.folder}), look)
        self._tasks.spawn_essential(self._stop_when_idle(server, look))
        self._tasks.spawn_essential(self._hand_over(claimed, server))
        try:
            await self._stopping.wait()
        finally:
            await self._tasks.close()

    async def _shutdown(self, _connection: Connection, params: dict[str, Any]) -> dict[str, Any]:
        is_needed = len(self._editors) + len(self._operating) > 0
        stays = params.get("handover") is True and is_needed and self._may_hand_over
        # After the answer is on its way.
        end = self._handing_over.set if stays else self.stop
        asyncio.get_running_loop().call_later(0.02, end)
        return {}

    async def _hand_over(self, claimed: Claim, server: Server) -> None:
        """Make room for another daemon when asked to, but serve our editors and operations to their end.

        The editors' unsaved text is in our memory; ending would cost them their session.
        """
        await self._handing_over.wait()
        server.stop_listening()
        await self._keeper.close()
        claimed.release()
        log.info(
            "another daemon takes over; %d editors and %d operations stay here",
            len(self._editors),
            len(self._operating),
        )
        await self._editors.all_left()
        await self._operating.all_done()
        self.stop()

    async def _stop_when_idle(self, server: Server, look: Callable[[], None]) -> None:
        needed = time.monotonic()
        while True:
            limit = self._idle_seconds
            if limit is None:
                limit = IDLE_WITH_PROJECTS_SECONDS if self._keeper.projects else IDLE_SECONDS
            await asyncio.sleep(min(limit / 4 + 0.01, _LOOK_SECONDS))
            look()
            now = time.monotonic()
            is_needed = bool(server.connections) or len(self._operating) > 0
            needed = now if is_needed else max(needed, self._keeper.watching.active_at)
            if now - needed <= limit:
                continue
            # Its gateway is mended, its policy applied and its keys served by us alone.
            is_needed = await self._keeper.hosts.runs_sandbox()
            # Somebody may have come meanwhile.
            if is_needed or server.connections or len(self._operating) > 0:
                needed = time.monotonic()
                continue
            log.info("nobody needed the daemon for %.0f s", limit)
            self.stop()


class _Endpoint:
    """The socket and the lock by which clients find the daemon.

    Somebody who cleans up in their folder must not leave us running and unreachable.
    """

    def __init__(self, claimed: Claim, server: Server, keeper: Keeper) -> None:
        self._claimed = claimed
        self._server = server
        self._keeper = keeper

    def is_lost(self) -> bool:
        """Whether another daemon should take over, since the lock file, or the socket of a service manager, was
        removed.

        If only the daemon's own socket is missing, it is made again.
        """
        if not self._claimed.is_in_place():
            log.warning("the lock is gone: another daemon may take over")
            return True
        if os.path.lexists(self._claimed.path):
            return False
        if self._claimed.keep_socket:
            # The socket belongs to the service manager, which also starts the next daemon.
            return True
        self._keeper.tasks.spawn(self._listen_again())
        return False

    async def _listen_again(self) -> None:
        if not os.path.lexists(self._claimed.path):
            log.warning("the socket is gone; listening on a new one")
            await self._server.listen(self._claimed.path)
