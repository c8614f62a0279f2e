"""Operations that the daemon does for its clients, as their own processes would do them.

Nothing is granted here: the options that the user typed travel, everything else is read from the user's
own state, which is the daemon's too, or the request is refused and the client does it by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sandboxd.daemon.callers import compare, engine_of, read_view
from sandboxd.daemon.parameters import flag, number, variables
from sandboxd.ipc import messages
from sandboxd.ipc.server import InvalidParams, Refused, text_param, texts_param
from sandboxd.operations.interruption import Cancel, Cancelled, Step
from sandboxd.operations.wire import encode

if TYPE_CHECKING:
    from sandboxd.daemon.hosts import Hosts
    from sandboxd.daemon.projects import EngineKey
    from sandboxd.engine.client import Engine
    from sandboxd.host.facts import HostFacts
    from sandboxd.ipc.server import Connection, Handler
    from sandboxd.operations.egress.gateways import Gateway
    from sandboxd.operations.interruption import Progress

T = TypeVar("T")

_MOST_AT_ONCE = 16

_FACTS_SECONDS = 20.0
"""How long an operation waits for the host to be known; then it looks for itself."""

log = logging.getLogger(__name__)


class Request(NamedTuple):
    """An operation that a client asks for, once it is clear that both see the same world."""

    engine: Engine
    directory: str
    environ: dict[str, str]
    """The daemon's own, with the variables that lead to the caller's engine."""
    facts: Callable[[], HostFacts] | None
    progress: Progress
    cancel: Cancel


class Operating:
    """Runs operations in threads, each until it is done or its client is gone."""

    def __init__(
        self,
        environ: Mapping[str, str],
        hosts: Hosts,
        register_soon: Callable[[str, EngineKey], None],
        find_gateway: Callable[[str], Gateway | None],
    ) -> None:
        """
        :param register_soon: called on the event loop for each workspace that is started
        :param find_gateway: the gateway of a workspace that is attended to; called in any thread
        """
        self._environ = environ
        self._hosts = hosts
        self._register_soon = register_soon
        self._find_gateway = find_gateway
        self._threads = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="operation")
        self._running: dict[Cancel, Connection] = {}
        self._ended = asyncio.Event()
        self.handlers: dict[str, Handler] = {
            messages.START: self._start,
            messages.STOP: self._stop,
            messages.VERIFY: self._verify,
            messages.DRIFT: self._drift,
            messages.REVIEW: self._review,
            messages.BENCH: self._bench,
            messages.EGRESS: self._egress,
            messages.CANCEL: self._cancel,
        }

    def __len__(self) -> int:
        return len(self._running)

    async def all_done(self) -> None:
        """Wait until nothing runs."""
        while self._running:
            self._ended.clear()
            await self._ended.wait()

    async def _start(self, connection: Connection, params: dict[str, Any]) -> Any:
        from sandboxd.operations.start import start

        allow_runc, rebuild = flag(params, "allow_runc"), flag(params, "rebuild")
        builder = variables(params, "environ")
        loop, key = asyncio.get_running_loop(), engine_of(connection, self._hosts)

        def register(workspace: str) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nothing is kept any more
                loop.call_soon_threadsafe(self._register_soon, workspace, key)

        def job(request: Request) -> Any:
            started = start(
                request.engine,
                request.directory,
                _with_own(builder, request.environ),
                allow_runc=allow_runc,
                rebuild=rebuild,
                facts=request.facts,
                register=register,
                progress=request.progress,
                cancel=request.cancel,
            )
            return encode(started)

        return await self._do(connection, params, job)

    async def _stop(self, connection: Connection, params: dict[str, Any]) -> Any:
        from sandboxd.operations.stop import stop

        discard = flag(params, "discard")

        def job(request: Request) -> Any:
            stopped = stop(
                request.engine,
                request.directory,
                request.environ,
                discard=discard,
                progress=request.progress,
                cancel=request.cancel,
            )
            return encode(stopped)

        return await self._do(connection, params, job, needs_facts=False)

    async def _verify(self, connection: Connection, params: dict[str, Any]) -> Any:
        from sandboxd.operations.verify import verify

        is_fresh, with_controls = flag(params, "is_fresh"), flag(params, "with_controls")
        container = None if params.get("container") is None else text_param(params, "container")

        def job(request: Request) -> Any:
            verified = verify(
                request.engine,
                request.directory,
                request.environ,
                container=container,
                is_fresh=is_fresh,
                with_controls=with_controls,
                facts=request.facts,
                progress=request.progress,
                cancel=request.cancel,
            )
            return encode(verified)

        return await self._do(connection, params, job)

    async def _drift(self, connection: Connection, params: dict[str, Any]) -> Any:
        from sandboxd.operations.drift import drift

        def job(request: Request) -> Any:
            compared = drift(
                request.engine,
                request.directory,
                request.environ,
                facts=request.facts,
                cancel=request.cancel,
            )
            return encode(compared)

        return await self._do(connection, params, job)

    async def _review(self, connection: Connection, params: dict[str, Any]) -> Any:
        from sandboxd.operations.review import collect

        def job(request: Request) -> Any:
            return encode(collect(request.engine, request.directory, cancel=request.cancel))

        return await self._do(connection, params, job, needs_facts=False)

    async def _bench(self, connection: Connection, params: dict[str, Any]) -> Any:
        from sandboxd.operations.bench import bench

        command, environ = texts_param(params, "command"), variables(params, "environ")
        rounds, copy_limit = number(params, "rounds"), number(params, "copy_limit")
        plain, allow_runc = flag(params, "plain"), flag(params, "allow_runc")

        def job(request: Request) -> Any:
            measured = bench(
                request.engine,
                request.directory,
                _with_own(environ, request.environ),
                command=command,
                rounds=rounds,
                copy_limit=copy_limit,
                plain=plain,
                allow_runc=allow_runc,
                progress=request.progress,
                cancel=request.cancel,
            )
            return encode(measured)

        return await self._do(connection, params, job, needs_facts=False)

    async def _egress(self, connection: Connection, params: dict[str, Any]) -> Any:
        from sandboxd.life import running_gateway
        from sandboxd.operations.egress.actions import act

        action, arguments = text_param(params, "action"), params.get("arguments")
        if not isinstance(arguments, dict):
            raise InvalidParams("`arguments` is not an object")

        def job(request: Request) -> Any:
            def find(workspace: str) -> Gateway | None:
                # That of a project which is not kept is attended to by nobody.
                return self._find_gateway(workspace) or running_gateway.find(
                    request.engine, workspace
                )

            return act(action, request.directory, request.environ, arguments, find)

        return await self._do(connection, params, job, needs_facts=False)

    async def _cancel(self, connection: Connection, _params: dict[str, Any]) -> dict[str, Any]:
        for cancel, owner in list(self._running.items()):
            if owner is connection:
                await asyncio.to_thread(cancel.cancel)
        return {}

    async def _do(
        self,
        connection: Connection,
        params: Mapping[str, Any],
        job: Callable[[Request], T],
        *,
        needs_facts: bool = True,
    ) -> T:
        """Do it in a thread.

        :raises Refused: the client sees another world, or gave up
        """
        view = read_view(params)
        key = engine_of(connection, self._hosts)
        facts = await self._hosts.facts(key, _FACTS_SECONDS) if needs_facts else None
        environ, cancel = self._hosts.environ(key), Cancel()
        loop = asyncio.get_running_loop()

        def tell(step: Step) -> None:
            progress: messages.Progress = {"text": step.text, "passing": step.is_passing}
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens
                loop.call_soon_threadsafe(connection.notify, messages.PROGRESS, progress)

        def run() -> T:
            compare(view, self._environ)
            log.info("%s of `%s`", job.__qualname__.split(".")[1].strip("_"), view["directory"])
            request = Request(
                self._hosts.engine(key),
                view["directory"],
                environ,
                (lambda: facts) if facts is not None else None,
                tell,
                cancel,
            )
            try:
                return job(request)
            except Cancelled:
                raise Refused(messages.CANCELLED, "the operation was cancelled") from None

        with self._hosts.operated(key):
            return await self._until_done(connection, cancel, run)

    async def _until_done(self, connection: Connection, cancel: Cancel, run: Callable[[], T]) -> T:
        """Run it; a client that goes away cancels it, and its connection ends once it has cleaned up."""
        work = asyncio.get_running_loop().run_in_executor(self._threads, run)
        self._running[cancel] = connection
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            # In a thread: to cancel closes a connection, which may block.
            threading.Thread(target=cancel.cancel, daemon=True).start()
            while not work.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({work})
            # The client is gone, so the error is dropped.
            if not work.cancelled() and work.exception() is not None:
                log.info("an operation ended with its client: %s", work.exception())
            raise
        finally:
            self._running.pop(cancel, None)
            self._ended.set()


def _with_own(builder: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """A caller's environment for a builder, in which engine and user's folders are those of `own`."""
    names = (*messages.ENGINE_VARIABLES, *messages.FOLDER_VARIABLES)
    rest = {name: builder[name] for name in builder if name not in names}
    return {**rest, **{name: own[name] for name in names if name in own}}
