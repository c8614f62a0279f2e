"""Starts commands and log streams for clients, and hands each client the engine's connection as a file descriptor.

The client then reads and writes that connection by itself; a command's terminal size, signals and exit code still go
through the daemon. This works only with a local engine: its connection works in another process, too.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from sandboxd.daemon.callers import compare, engine_of, read_view
from sandboxd.daemon.tasks import Tasks
from sandboxd.ipc import messages, parameters
from sandboxd.ipc.parameters import InvalidParams
from sandboxd.ipc.server import Refused, WithDescriptor
from sandboxd.model.sandbox_id import check_name

if TYPE_CHECKING:
    from sandboxd.daemon.hosts import Hosts
    from sandboxd.daemon.projects import EngineKey
    from sandboxd.engine.client import Engine
    from sandboxd.engine.streams import Growing
    from sandboxd.ipc.server import Connection, Handler
    from sandboxd.life.command import Command

T = TypeVar("T")

_MOST_AT_ONCE = 16
_SIGNALS = range(1, 65)

log = logging.getLogger(__name__)


class Commands:
    """The commands that clients run, at most one for each client's connection."""

    def __init__(
        self,
        environ: Mapping[str, str],
        hosts: Hosts,
        used: Callable[[str, EngineKey], None],
    ) -> None:
        """
        :param hosts: the engines that clients name
        :param used: called with a project's folder and its engine when somebody uses its sandbox
        """
        self._environ = environ
        self._used = used
        self._hosts = hosts
        self._threads = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="command")
        self._commands: dict[Connection, Command] = {}
        self._tasks = Tasks("a command")
        self._is_closing = False
        self.handlers: dict[str, Handler] = {
            messages.EXEC: self._exec,
            messages.EXEC_RESIZE: self._resize,
            messages.EXEC_SIGNAL: self._signal,
            messages.EXEC_CODE: self._code,
            messages.LOGS: self._logs,
        }

    async def close(self) -> None:
        """Give up all commands; their clients connect to the engine by themselves then."""
        self._is_closing = True
        await self._tasks.close()

    async def _exec(self, connection: Connection, params: dict[str, Any]) -> WithDescriptor:
        view = read_view(params)
        if connection in self._commands:
            raise InvalidParams("a command was begun on this connection already")
        words, env = parameters.texts(params, "command"), parameters.texts(params, "env")
        user, working_dir = parameters.text(params, "user"), parameters.text(params, "working_dir")
        tty, stdin = params.get("tty") is True, params.get("stdin") is True
        name = _name(params)
        key = engine_of(connection, self._hosts)

        def begin() -> Command:
            from sandboxd.backends.backend import CommandRequest
            from sandboxd.backends.docker.backend import DockerBackend
            from sandboxd.life.command import Command
            from sandboxd.operations import exec

            backend = DockerBackend(self._local_engine(view, key), self._environ)
            request = CommandRequest(
                words, view["directory"], tty, stdin, user=user, env=env, working_dir=working_dir
            )
            command = exec.begin(backend, request, name)
            assert isinstance(command, Command), "it is the engine's"
            return command

        command = await self._begun(begin, self._abandon)
        self._commands[connection] = command
        self._used(view["directory"], key)
        self._tasks.spawn(self._end_with(connection))
        begun: messages.Begun = {
            "container": command.container,
            "exec_id": command.exec_id,
            "variable": command.variable,
            "first": command.first.decode("latin-1"),
        }
        return WithDescriptor(begun, command.connection)

    async def _logs(self, connection: Connection, params: dict[str, Any]) -> WithDescriptor:
        view, follow, tail = (
            read_view(params),
            params.get("follow") is True,
            parameters.text(params, "tail"),
        )
        since = parameters.number(params, "since")
        key, name = engine_of(connection, self._hosts), _name(params)

        def begin() -> tuple[str, Growing]:
            from sandboxd.operations.logs import open_logs

            engine = self._local_engine(view, key)
            logs = open_logs(
                engine, view["directory"], name=name, follow=follow, tail=tail, since=since
            )
            if logs is None:
                raise Refused(messages.NOT_HERE, "the engine's answer cannot be handed over")
            return engine.host, logs

        async def abandon(begun: tuple[str, Growing]) -> None:
            begun[1].connection.close()

        engine, logs = await self._begun(begin, abandon)
        shown: messages.Shown = {
            "engine": engine,
            "tty": logs.has_tty,
            "first": logs.first.decode("latin-1"),
        }
        return WithDescriptor(shown, logs.connection)

    def _local_engine(self, view: messages.View, key: EngineKey) -> Engine:
        """The engine, for a client that sees what we see and can be passed a connection to it.

        :raises Refused: it cannot, or its environment differs from ours
        """
        compare(view, self._environ)
        engine = self._hosts.engine(key)
        if not engine.is_local:
            raise Refused(messages.NOT_HERE, "the engine's connection cannot be handed over")
        return engine

    async def _begun(self, begin: Callable[[], T], abandon: Callable[[T], Awaitable[None]]) -> T:
        """The result of `begin`; if the client disconnects meanwhile, `abandon` ends what was begun."""
        work = asyncio.ensure_future(self._in_thread(begin))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            self._tasks.spawn(self._end_unwanted(work, abandon))
            raise

    async def _end_unwanted(
        self, work: asyncio.Future[T], abandon: Callable[[T], Awaitable[None]]
    ) -> None:
        await asyncio.wait({work})
        if work.exception() is None:
            await abandon(work.result())

    async def _abandon(self, command: Command) -> None:
        command.connection.close()
        if not self._is_closing:
            await self._in_thread(lambda: command.kill(signal.SIGHUP))

    async def _resize(self, connection: Connection, params: dict[str, Any]) -> dict[str, Any]:
        rows, columns = parameters.number(params, "rows"), parameters.number(params, "columns")
        await self._in_thread(lambda: self._of(connection).resize(rows, columns))
        return {}

    async def _signal(self, connection: Connection, params: dict[str, Any]) -> dict[str, Any]:
        signal_number = parameters.number(params, "number")
        if signal_number not in _SIGNALS:
            raise InvalidParams("`number` is not a signal")
        await self._in_thread(lambda: self._of(connection).kill(signal_number))
        return {}

    async def _code(self, connection: Connection, _params: dict[str, Any]) -> messages.Code:
        command = self._of(connection)
        # Its output has ended, so the command has: its client may disconnect.
        del self._commands[connection]
        return {"code": await self._in_thread(command.exit_code)}

    def _of(self, connection: Connection) -> Command:
        command = self._commands.get(connection)
        if command is None:
            raise InvalidParams("no command was begun on this connection")
        return command

    async def _end_with(self, connection: Connection) -> None:
        """End a command whose client goes away before its end, as closing its terminal would."""
        await connection.closed.wait()
        command = self._commands.pop(connection, None)
        if command is not None and not self._is_closing:
            log.info("the client of a command is gone")
            await self._in_thread(lambda: command.kill(signal.SIGHUP))

    async def _in_thread(self, job: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, job)


def _name(params: dict[str, Any]) -> str:
    """The name of the sandbox in `params`.

    :raises UsageError: it is no valid name
    """
    return check_name(parameters.text(params, "name"))
