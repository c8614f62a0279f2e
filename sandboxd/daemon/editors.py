"""The language server sessions of editors: one for each `sandboxd lsp`, all in this process.

What makes a first message slow (imports, the converter's compiled hooks) is done once, in a
thread, as soon as the daemon runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from sandboxd.daemon.keeper import Keeper
from sandboxd.daemon.projects import EngineKey
from sandboxd.daemon.tasks import Tasks
from sandboxd.errors import DaemonError
from sandboxd.host.facts import UNKNOWN
from sandboxd.ipc import messages
from sandboxd.ipc.parameters import InvalidParams
from sandboxd.ipc.server import Connection
from sandboxd.status.model import ProjectStatus

if TYPE_CHECKING:
    from sandboxd.lsp.session import Session

FIRST_FACTS_SECONDS = 20.0

_MOST_UNREAD = 64 * 1024 * 1024
"""Bytes that an editor may leave unread: as much as the longest message it may send."""

log = logging.getLogger(__name__)


class _Outgoing:
    """The stream that a session writes its messages to: the connection to its editor, which is ended if too much of it
    stays unread.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def write(self, data: bytes) -> None:
        self._connection.write(data, _MOST_UNREAD)

    def close(self) -> None:
        """The connection ends when its session does."""


class Editors:
    """Starts language server sessions, and tells them of changes of the host and of their projects."""

    def __init__(
        self, keeper: Keeper, status: Callable[[str, EngineKey], ProjectStatus | None]
    ) -> None:
        self._keeper = keeper
        self._status = status
        self._sessions: dict[Session, EngineKey] = {}
        self._ready: asyncio.Task[None] | None = None
        self._tasks = Tasks("an editor")
        self._left = asyncio.Event()

    def __len__(self) -> int:
        return len(self._sessions)

    def warm(self) -> None:
        """Begin to import and compile what sessions need, in a thread."""
        if self._ready is None:
            self._ready = asyncio.create_task(asyncio.to_thread(_warm))

    async def attach(
        self, connection: Connection, params: Mapping[str, Any]
    ) -> Callable[[], Awaitable[None]]:
        """Begin a session on a client's connection; returns the coroutine function that serves it.

        :raises InvalidParams: `params` hold no environment
        """
        environ = params.get("environ")
        if not isinstance(environ, dict) or not all(
            isinstance(value, str) for value in environ.values()
        ):
            raise InvalidParams("`environ` is not an environment")
        hello = connection.hello
        assert hello is not None, "served before the greeting"
        engine = self._keeper.hosts.key(hello["engine"])
        self.warm()
        assert self._ready is not None
        await asyncio.shield(self._ready)
        return lambda: self._serve(connection, environ, engine)

    def host_changed(self, engine: EngineKey) -> None:
        """Have sessions check their open documents again, since runtimes of `engine` were added or removed."""
        facts = self._keeper.hosts.known(engine).facts
        for session, key in self._sessions.items():
            if key == engine and facts is not None:
                session.set_host(facts)

    def project_changed(self, path: str) -> None:
        """Tell all sessions that a project's files or its sandbox changed."""
        for session in self._sessions:
            session.project_changed(path)

    def names_changed(self) -> None:
        """Tell all sessions that a gateway reported something."""
        for session in self._sessions:
            session.names_changed()

    async def all_left(self) -> None:
        """Wait until every session has ended."""
        while self._sessions:
            self._left.clear()
            await self._left.wait()

    async def close(self) -> None:
        if self._ready is not None:
            self._ready.cancel()
        await self._tasks.close()

    async def _serve(
        self, connection: Connection, environ: Mapping[str, str], engine: EngineKey
    ) -> None:
        from sandboxd.lsp.session import Session
        from sandboxd.lsp.surroundings import Surroundings

        keeper = self._keeper
        world = keeper.hosts.known(engine)
        session = Session(
            environ,
            world.facts or UNKNOWN,
            Surroundings(
                opened=lambda path: self._register(path, engine),
                status=lambda path: self._status(path, engine),
                watch=lambda folders: self._watch(session, folders),
                gateway=lambda sandbox: keeper.gateways.find(keeper.places.find(engine, sandbox)),
            ),
        )
        self._sessions[session] = engine
        self._tasks.spawn(self._find_host(session, engine))
        began = time.monotonic()
        code = 1
        try:
            code = await session.run(connection.reader, _Outgoing(connection))
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("a session failed")
        finally:
            self._sessions.pop(session, None)
            self._watch(session, frozenset())
            self._left.set()
        connection.write(messages.SESSION_END + b"%d" % (code != 0), _MOST_UNREAD)
        log.info("an editor left after %.0f s", time.monotonic() - began)

    async def _find_host(self, session: Session, engine: EngineKey) -> None:
        world = await self._keeper.hosts.fresh(engine, FIRST_FACTS_SECONDS)
        if world.facts is not None and session in self._sessions:
            session.set_host(world.facts)

    def _register(self, path: str, engine: EngineKey) -> None:
        # A daemon that made way keeps nothing: its successor is told by whoever asks there.
        with contextlib.suppress(DaemonError):
            self._tasks.spawn(self._keeper.register(path, engine))

    def _watch(self, session: Session, folders: frozenset[str]) -> None:
        self._keeper.watching.watch_also(session, folders, session.files_changed)


def _warm() -> None:
    """Run `lsp.warm` in a thread: half a second that nobody should wait for."""
    from sandboxd.lsp.warm import warm_up

    try:
        warm_up()
    except Exception:
        log.exception("warming up failed; the first editor will be slower")
    # Objects of the warm-up live to the end, so the garbage collector can skip them.
    gc.collect()
    gc.freeze()
