"""The daemon's end of the socket: many clients, none of which can harm another or the daemon.

Every connection has its own tasks and ends with them. A client that sends garbage, half a message, too much
or nothing, or that does not read, loses its connection and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.ipc import messages, parameters
from sandboxd.ipc.parameters import InvalidParams

GREETING_SECONDS = 10.0
"""Seconds that a client may take to send its `hello`."""

WRITE_SECONDS = 10.0
"""Seconds that a client may take to read what it is sent, where the server waits for that."""

_MOST_UNREAD = 4 * 1024 * 1024
_MOST_AT_ONCE = 32

log = logging.getLogger(__name__)


class Refused(Exception):
    """Raised by a handler to answer with an error of its own code.

    :param code: one of the error codes of `messages`
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class WithDescriptor(NamedTuple):
    """A request's result, and a socket whose descriptor is sent with it; the socket is closed here afterwards."""

    result: Mapping[str, Any]
    socket: socket.socket


class Connection:
    """The connection to one client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.reader = reader
        self.hello: messages.Hello | None = None
        self.closed = asyncio.Event()

    def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Send a notification; a client that does not read loses its connection."""
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def send(self, message: Mapping[str, Any]) -> None:
        if self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > _MOST_UNREAD:
            log.warning("closing the connection of a client that does not read")
            self.abort()
            return
        self._writer.write(json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n")

    async def send_with(self, message: Mapping[str, Any], descriptor: int) -> None:
        """Send a message together with a descriptor.

        :raises ConnectionError: the client is gone
        :raises TimeoutError: it does not read
        """
        line = json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"
        async with asyncio.timeout(WRITE_SECONDS):
            # The descriptor must not overtake what was written before.
            self._writer.transport.set_write_buffer_limits(0)
            await self._writer.drain()
            sent = await self._send_now(line, descriptor)
        self._writer.write(line[sent:])

    async def _send_now(self, line: bytes, descriptor: int) -> int:
        duplicate = os.dup(self._writer.get_extra_info("socket").fileno())
        with socket.socket(fileno=duplicate) as connection:
            while True:
                try:
                    return socket.send_fds(connection, [line], [descriptor])
                except BlockingIOError:
                    await asyncio.sleep(0.005)

    def write(self, data: bytes, most_unread: int) -> None:
        """Send raw bytes; a client that has more than `most_unread` bytes unread is disconnected."""
        if self._writer.is_closing():
            return
        self._writer.write(data)
        if self._writer.transport.get_write_buffer_size() > most_unread:
            log.warning("closing the connection of a client that does not read")
            self.abort()

    def abort(self) -> None:
        """End the connection without waiting for the client to read."""
        self._writer.transport.abort()

    async def flush(self) -> None:
        """Wait until the client has taken most of what was sent.

        :raises TimeoutError: it does not read
        """
        async with asyncio.timeout(WRITE_SECONDS):
            await self._writer.drain()


Handler = Callable[[Connection, dict[str, Any]], Awaitable[Any]]

Stream = Callable[[Connection, dict[str, Any]], Awaitable[Callable[[], Awaitable[None]]]]
"""Handles a request that turns the connection over to another protocol. The function that it returns is run once the
request was answered with `{}`."""


class Server:
    """Serves requests on a listening socket.

    :param handlers: by method, a coroutine function that takes the connection and the params and returns the result
    :param welcome: the answer to `hello`
    :param streams: by method, handlers that take the connection over
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        welcome: messages.Welcome,
        streams: Mapping[str, Stream] | None = None,
    ) -> None:
        self._handlers = handlers
        self._streams = streams or {}
        self._welcome = welcome
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._takes_clients = False
        self.connections: set[Connection] = set()
        """The clients whose `hello` was answered."""

    async def listen(self, path: str, listener: socket.socket | None = None) -> None:
        """Bind `path` with mode 0600 and listen there; the caller makes sure that nothing is at that path.

        A second call moves the server to another socket; open connections stay.

        :param listener: a socket that is already bound to `path`; None to make one
        """
        if listener is None:
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            before = os.umask(0o177)
            try:
                listener.bind(path)
            finally:
                os.umask(before)
        listener.setblocking(False)
        self.stop_listening()
        self._takes_clients = True
        # From 3.13 on it would remove the path itself, which may not be ours to remove.
        more: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}
        self._server = await asyncio.start_unix_server(
            self._accept, sock=listener, limit=messages.MAX_LINE, backlog=4096, **more
        )

    def stop_listening(self) -> None:
        """Accept no more connections; open ones stay.

        A connection without a `hello` is closed, so that its client looks for the next daemon.
        """
        self._takes_clients = False
        if self._server is not None:
            self._server.close()

    async def close(self) -> None:
        """Stop listening and end all connections."""
        self.stop_listening()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        connection = Connection(reader, writer)
        try:
            if _peer_uid(writer) not in (None, os.getuid()):
                log.warning("refused a client of another user")
                return
            await self._converse(connection, reader)
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass
        except asyncio.CancelledError:
            # asyncio would print a task that ends cancelled; this one ends because we stop.
            pass
        finally:
            self.connections.discard(connection)
            self._tasks.discard(task)
            connection.closed.set()
            await _close(writer)

    async def _converse(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        """Read requests and answer them, several at a time, until the client ends."""
        running: set[asyncio.Task[None]] = set()
        try:
            async with asyncio.timeout(GREETING_SECONDS):
                greeted = await self._greeting(connection, reader)
            while greeted:
                message = await self._next(connection, reader)
                if message is None:
                    return
                if message["method"] in self._streams:
                    await self._hand_over(connection, message)
                    return
                if len(running) >= _MOST_AT_ONCE:
                    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                task = asyncio.create_task(self._serve(connection, message))
                running.add(task)
                task.add_done_callback(running.discard)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _greeting(self, connection: Connection, reader: asyncio.StreamReader) -> bool:
        message = await self._next(connection, reader)
        if message is None:
            return False
        if message.get("method") != messages.HELLO:
            connection.send(_error(message.get("id"), messages.NOT_GREETED, "say `hello` first"))
            return False
        try:
            connection.hello = _hello(message.get("params"))
        except InvalidParams as error:
            connection.send(_error(message.get("id"), messages.INVALID_PARAMS, str(error)))
            return False
        if not self._takes_clients:
            return False
        connection.send({"jsonrpc": "2.0", "id": message.get("id"), "result": self._welcome})
        self.connections.add(connection)
        return True

    async def _next(
        self, connection: Connection, reader: asyncio.StreamReader
    ) -> dict[str, Any] | None:
        """The next request, or None when the connection is to end."""
        try:
            line = await reader.readuntil(b"\n")
        except asyncio.LimitOverrunError:
            size = messages.MAX_LINE // (1024 * 1024)
            text = f"message is longer than {size} MiB"
            connection.send(_error(None, messages.INVALID_REQUEST, text))
            return None
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            connection.send(_error(None, messages.PARSE_ERROR, "message is not JSON"))
            return None
        if not isinstance(message, dict) or not isinstance(message.get("method"), str):
            connection.send(_error(None, messages.INVALID_REQUEST, "message is not a request"))
            return None
        return message

    async def _serve(self, connection: Connection, message: dict[str, Any]) -> None:
        number = message.get("id")
        answer = await self._answer(connection, message)
        try:
            if isinstance(answer.get("result"), WithDescriptor):
                result = answer["result"]
                with result.socket:
                    answer = {**answer, "result": result.result}
                    await connection.send_with(answer, result.socket.fileno())
            elif number is not None:
                connection.send(answer)
            await connection.flush()
        except (TimeoutError, ConnectionError):
            connection.abort()

    async def _hand_over(self, connection: Connection, message: dict[str, Any]) -> None:
        """Answer, then hand the connection to another protocol until it ends."""
        number, params = message.get("id"), message.get("params", {})
        try:
            if not isinstance(params, dict):
                raise InvalidParams("params are not an object")
            stream = await self._streams[message["method"]](connection, params)
        except InvalidParams as error:
            connection.send(_error(number, messages.INVALID_PARAMS, str(error)))
            return
        connection.send({"jsonrpc": "2.0", "id": number, "result": {}})
        await stream()
        await connection.flush()

    async def _answer(self, connection: Connection, message: dict[str, Any]) -> dict[str, Any]:
        number, method = message.get("id"), message["method"]
        params = message.get("params", {})
        handler = self._handlers.get(method)
        if handler is None:
            return _error(number, messages.METHOD_NOT_FOUND, f"there is no method `{method[:100]}`")
        if not isinstance(params, dict):
            return _error(number, messages.INVALID_PARAMS, "params are not an object")
        try:
            result = await handler(connection, params)
        except InvalidParams as error:
            return _error(number, messages.INVALID_PARAMS, str(error))
        except SandboxdError as error:
            return _failure(number, error)
        except Refused as error:
            return _error(number, error.code, str(error))
        except Exception as error:
            log.exception("the request `%s` failed", method)
            return _error(number, messages.INTERNAL_ERROR, f"bug: {type(error).__name__}: {error}")
        return {"jsonrpc": "2.0", "id": number, "result": result}


def _hello(params: object) -> messages.Hello:
    if not isinstance(params, dict):
        raise InvalidParams("params are not an object")
    engine = params.get("engine")
    if not isinstance(engine, dict) or not all(isinstance(v, str) for v in engine.values()):
        raise InvalidParams("`engine` is not made of variables")
    if not engine.keys() <= set(messages.ENGINE_VARIABLES):
        raise InvalidParams("`engine` has a variable that names no engine")
    cwd = parameters.text(params, "cwd")
    if not cwd.startswith("/"):
        raise InvalidParams("`cwd` is not an absolute path")
    return {"version": parameters.text(params, "version"), "engine": engine, "cwd": cwd}


def _error(number: object, code: int, text: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": text}}


def _failure(number: object, failure: SandboxdError) -> dict[str, Any]:
    answer = _error(number, messages.INTERNAL_ERROR, failure.message)
    data = {"hint": failure.hint, "exit": failure.exit_code}
    if failure.option:
        data["option"] = failure.option
    answer["error"]["data"] = data
    return answer


def _peer_uid(writer: asyncio.StreamWriter) -> int | None:
    """The user id of the process at the other end; None where the system does not tell."""
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    peer = writer.get_extra_info("socket")
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", raw)
    return int(uid)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError, TimeoutError, asyncio.CancelledError):
        async with asyncio.timeout(1.0):
            await writer.wait_closed()
    writer.transport.abort()
