"""Runs operations such as `up` for clients of the daemon, just as the client's own process would.

A client gets no rights by it: only the options that the user typed are taken from the request, everything else is
read from the user's own files. Where client and daemon do not see the same files, the request is refused and the
client does the work by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from sandboxd import operations
from sandboxd.daemon.callers import compare, engine_of, read_view
from sandboxd.engine.interruption import Cancel, Cancelled, Step
from sandboxd.ipc import messages
from sandboxd.ipc.server import Refused
from sandboxd.operations.keeping import Keeping
from sandboxd.operations.request import Request
from sandboxd.operations.wire import encode

if TYPE_CHECKING:
    from sandboxd.daemon.copies import Copies
    from sandboxd.daemon.exchanges import Exchanges
    from sandboxd.daemon.gateways import Gateways
    from sandboxd.daemon.hosts import Hosts
    from sandboxd.daemon.local_rights import LocalRights
    from sandboxd.daemon.places import Place, Places
    from sandboxd.daemon.projects import EngineKey
    from sandboxd.host.facts import HostFacts
    from sandboxd.ipc.server import Connection, Handler

T = TypeVar("T")

_MOST_AT_ONCE = 16

_FACTS_SECONDS = 20.0
"""Seconds that an operation waits for the host to be known; then it looks for itself."""

log = logging.getLogger(__name__)


class Operating:
    """Runs operations in threads, each until it has ended or its client disconnects."""

    def __init__(
        self,
        environ: Mapping[str, str],
        hosts: Hosts,
        register_soon: Callable[[str, EngineKey, bool], None],
        gateways: Gateways,
        local_rights: LocalRights,
        places: Places,
        copies: Copies,
        exchanges: Exchanges,
    ) -> None:
        """
        :param register_soon: called on the event loop with each started workspace, its engine, and whether its
            generated files are outdated
        :param gateways: the supervised gateways
        :param local_rights: is told which SSH keys a start chose, and tells which ports are open
        :param places: tells which of them are meant by a client of an engine
        :param copies: compares both sides of a copy that is kept the same
        :param exchanges: has commits pass between both sides
        """
        self._environ = environ
        self._hosts = hosts
        self._register_soon = register_soon
        self._gateways = gateways
        self._local_rights = local_rights
        self._places = places
        self._copies, self._exchanges = copies, exchanges
        self._threads = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="operation")
        self._running: dict[Cancel, Connection] = {}
        self._ended = asyncio.Event()
        self.handlers: dict[str, Handler] = {
            messages.OPERATION + name: functools.partial(self._operate, name)
            for name in operations.names()
        }
        self.handlers[messages.CANCEL] = self._cancel

    def __len__(self) -> int:
        return len(self._running)

    async def all_done(self) -> None:
        """Wait until no operation runs."""
        while self._running:
            self._ended.clear()
            await self._ended.wait()

    async def _cancel(self, connection: Connection, _params: dict[str, Any]) -> dict[str, Any]:
        for cancel, owner in list(self._running.items()):
            if owner is connection:
                _cancel_soon(cancel)
        return {}

    async def _operate(self, name: str, connection: Connection, params: dict[str, Any]) -> Any:
        """Run the operation `name` in a thread.

        :raises Refused: there is none of that name, or the client's environment differs from ours, or it gave
            up
        """
        operation = operations.load(name)
        if operation is None:
            raise Refused(messages.METHOD_NOT_FOUND, f"there is no operation `{name}`")
        view, key = read_view(params), engine_of(connection, self._hosts)
        # Known from here on: who gives up while the host is looked at is heard too.
        with self._cancellable(connection) as cancel:
            facts = await self._facts(key) if operation.NEEDS_FACTS else None
            request = self._request(connection, key, view["directory"], params, facts, cancel)

            def run() -> Any:
                compare(view, self._environ)
                log.info("%s of `%s`", name, view["directory"])
                try:
                    cancel.check()
                    return encode(operation.serve(request))
                except Cancelled:
                    raise Refused(messages.CANCELLED, "the operation was cancelled") from None

            with self._hosts.operated(key):
                return await self._until_done(cancel, run)

    @contextlib.contextmanager
    def _cancellable(self, connection: Connection) -> Iterator[Cancel]:
        """A `Cancel` that the client of `connection` can call by a request."""
        cancel = Cancel()
        self._running[cancel] = connection
        try:
            yield cancel
        finally:
            del self._running[cancel]
            self._ended.set()

    def _request(
        self,
        connection: Connection,
        key: EngineKey,
        directory: str,
        params: dict[str, Any],
        facts: Callable[[], HostFacts] | None,
        cancel: Cancel,
    ) -> Request:
        loop = asyncio.get_running_loop()

        def call_soon(function: Callable[..., None], *arguments: Any) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the daemon ends
                loop.call_soon_threadsafe(function, *arguments)

        def tell(step: Step) -> None:
            progress: messages.Progress = {"text": step.text, "passing": step.is_passing}
            call_soon(connection.notify, messages.PROGRESS, progress)

        gateways, local_rights = self._gateways, self._local_rights
        copies, exchanges = self._copies, self._exchanges

        def place(sandbox: str) -> Place:
            return self._places.find(key, sandbox)

        def started(sandbox: str, container: str) -> Place:
            return self._places.find_started(key, sandbox, container)

        return Request(
            directory,
            self._hosts.environ(key),
            params,
            lambda: self._hosts.engine(key),
            facts=facts,
            attended=lambda sandbox: gateways.find(place(sandbox)),
            keeping=Keeping(
                lambda workspace, stale: call_soon(self._register_soon, workspace, key, stale),
                lambda sandbox, container, sent: gateways.keep_credentials(
                    started(sandbox, container), container, sent
                ),
                lambda sandbox, container, chosen: local_rights.keep(
                    started(sandbox, container), container, chosen
                ),
                lambda sandbox, ports: local_rights.wait(place(sandbox), ports),
                lambda sandbox, seconds: copies.settle(place(sandbox), seconds),
                lambda sandbox, seconds: exchanges.settle(place(sandbox), seconds),
            ),
            progress=tell,
            cancel=cancel,
        )

    async def _facts(self, key: EngineKey) -> Callable[[], HostFacts] | None:
        """A function that returns the host's facts; None where they are not known in time."""
        facts = await self._hosts.facts(key, _FACTS_SECONDS)
        return (lambda: facts) if facts is not None else None

    async def _until_done(self, cancel: Cancel, run: Callable[[], T]) -> T:
        """Run it; a client that goes away cancels it, and its connection ends once it has cleaned up."""
        work = asyncio.get_running_loop().run_in_executor(self._threads, run)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            _cancel_soon(cancel)
            while not work.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({work})
            # The client is gone, so the error is dropped.
            if not work.cancelled() and work.exception() is not None:
                log.info("an operation ended with its client: %s", work.exception())
            raise


def _cancel_soon(cancel: Cancel) -> None:
    """Cancel, in a thread of its own where it closes a connection, which may block."""
    cancel.ask()
    threading.Thread(target=cancel.cancel, daemon=True).start()
