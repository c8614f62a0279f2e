"""The context that all features of a session share."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from lsprotocol import types

from sandboxd.lsp.documents import OpenDocument
from sandboxd.lsp.judgements import Judgements
from sandboxd.lsp.protocol import TolerantServer
from sandboxd.lsp.surroundings import Surroundings
from sandboxd.text import Position


class Context:
    """The server of one client, its judgements, and the services of the process."""

    def __init__(
        self,
        server: TolerantServer,
        judgements: Judgements,
        surroundings: Surroundings,
        environ: Mapping[str, str],
    ) -> None:
        self.server = server
        self.judgements = judgements
        self.surroundings = surroundings
        self.environ = environ
        self.options: dict[str, Any] = {}
        """The client's settings: initializationOptions, then its configuration."""
        self.pulls = False
        """Whether the client asks for diagnostics, so that none are pushed for open files."""
        self.pulls_workspace = False
        """Whether the client asks for those of unopened files, too."""
        self.unopened: dict[str, list[types.Diagnostic]] = {}
        """Diagnostics of files that are not open, by path."""
        self.unopened_listeners: list[Callable[[], None]] = []
        """Called when unopened files were judged again."""
        self.refresh_unopened: Callable[[], None] = lambda: None
        """Ask for all open documents to be judged again, soon."""
        self.initializers: list[Callable[[types.InitializeParams], None]] = []
        self.refreshers: list[Callable[[], None]] = []
        """Called when the host, a project or a file on disk changed."""
        self.open_listeners: list[Callable[[OpenDocument], None]] = []
        """Called with each document that was opened or changed, and once more when it closes."""
        self.names_listeners: list[Callable[[], None]] = []
        """Called when the gateway of a project told something."""
        self.file_listeners: list[Callable[[set[str]], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def feature(self, method: str, handler: Callable[[Any], Any], options: Any = None) -> None:
        """Register `handler` for the requests `method`."""
        # pygls sets attributes on handlers, which bound methods do not allow.
        if inspect.iscoroutinefunction(handler):

            async def answer(params: Any) -> Any:
                return await handler(params)

            self.server.feature(method, options)(answer)
        else:
            self.server.feature(method, options)(lambda params: handler(params))

    def capabilities(self) -> types.ClientCapabilities:
        return self.server.client_capabilities

    def offset(self, document: OpenDocument, position: types.Position) -> int:
        """The offset in the document's text of a client's position."""
        encoding = self.judgements.client().encoding
        return document.source.offset(Position(position.line, position.character), encoding)

    def roots(self) -> list[str]:
        """The paths of the workspace folders."""
        from sandboxd.lsp.documents import uri_path

        workspace = self.server.protocol.workspace
        paths = [uri_path(uri) for uri in workspace.folders]
        if not paths and workspace.root_uri:
            paths = [uri_path(workspace.root_uri)]
        return [path for path in paths if path.startswith("/")]

    def refresh(self) -> None:
        """Notify all features that something other than the open texts has changed."""
        for refresher in self.refreshers:
            refresher()

    def spawn(self, job: Any) -> asyncio.Task[None]:
        """Run a coroutine as a task that is cancelled when the session ends."""
        task: asyncio.Task[None] = asyncio.create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._is_closed:
            task.cancel()
        return task

    def later(self, seconds: float, action: Callable[[], None]) -> asyncio.TimerHandle:
        """Call `action` after `seconds`, unless the session has ended by then."""

        def act() -> None:
            if not self._is_closed:
                action()

        return asyncio.get_running_loop().call_later(seconds, act)

    def close(self) -> None:
        """Cancel all tasks and timers."""
        self._is_closed = True
        for task in self._tasks:
            task.cancel()
