"""The connections of clients: their number, the names that they reach and how, and their end."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, NamedTuple

from sandboxd.egress.broker import Binding
from sandboxd.egress.gateway.relay import Relay
from sandboxd.egress.gateway.sockets import reset, stream_options
from sandboxd.egress.policy import Rule, Upstream

MOST, OTHER_FILES = 2048, 512
"""Connections at a time, and the files that are for other things; a connection holds at most two."""


class Way(NamedTuple):
    """A connection to an allowed name."""

    sock: socket.socket
    address: str = ""
    """The address that was dialled; '' for that of a proxy."""
    upstream: Upstream | None = None
    """The proxy that it leads through; None without one."""
    speaks_http: bool = False
    """Whether that proxy wants requests with the whole URL, since it made no tunnel."""
    is_service: bool = False
    """Whether it leads to a container of the same project."""


class Connection:
    """One client: served by a task first, then perhaps by a relay alone."""

    __slots__ = ("binding", "client", "name", "orderly", "port", "relay", "rule", "task", "way")

    def __init__(self, client: socket.socket) -> None:
        self.client = client
        self.name, self.port = "", 0
        """Whom it reaches; '' as long as that was not judged."""
        self.orderly = False
        """Whether it ends by what was said: then it is closed when all of that has got there, else reset."""
        self.rule: Rule | None = None
        self.binding: Binding | None = None
        """The credential that it got."""
        self.way: Way | None = None
        """How it was made to where it reaches; None before that."""
        self.task: asyncio.Task[None] | None = None
        self.relay: Relay | None = None

    def rest(self) -> None:
        """Forget what the last request reached and how: the next one is judged by itself, and nothing is open until then."""
        self.name, self.port = "", 0
        self.rule = self.binding = self.way = None

    def end(self) -> None:
        """Reset the connection, whatever state it is in."""
        if self.relay is not None:
            self.relay.close()
        elif self.task is not None:
            self.task.cancel()


class Connections:
    """All connections; a new one is refused when there are too many."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, failed: Callable[[BaseException], None]
    ) -> None:
        """:param failed: called with errors that no handler expected"""
        self._loop, self._failed = loop, failed
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._most = min(MOST, (files - min(OTHER_FILES, files // 2)) // 2)
        self._live: set[Connection] = set()

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._live))

    def take(
        self, client: socket.socket, door: Callable[[Connection], Coroutine[Any, Any, None]]
    ) -> bool:
        """Serve `client` by `door`; False, and it is reset, where there are too many."""
        if len(self._live) >= self._most:
            reset(client)
            return False
        stream_options(client)
        connection = Connection(client)
        self._live.add(connection)
        connection.task = self._loop.create_task(self._serve(connection, door))
        return True

    def over(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        self._live.discard(connection)

    async def _serve(
        self, connection: Connection, door: Callable[[Connection], Coroutine[Any, Any, None]]
    ) -> None:
        try:
            await door(connection)
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # of the client, or it was cut
        except Exception as error:
            self._failed(error)
        finally:
            connection.task = None
            if connection.relay is None:
                if connection.orderly:
                    connection.client.close()
                else:
                    reset(connection.client)
                self.over(connection)
