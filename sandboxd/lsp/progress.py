"""Shows progress of long operations in the editor, and cancels them when the user asks for it."""

from __future__ import annotations

import asyncio
import logging
import uuid
from types import TracebackType

from lsprotocol import types

from sandboxd.engine.interruption import Step
from sandboxd.lsp.context import Context

log = logging.getLogger(__name__)


class Progress:
    """The progress of one request, as a context manager; does nothing if the client cannot show it."""

    def __init__(self, context: Context, title: str, token: str | int | None) -> None:
        self._context = context
        self._protocol = context.server.protocol
        self._title = title
        self._token = token
        self._loop = asyncio.get_running_loop()

    async def __aenter__(self) -> Progress:
        if self._token is None:
            self._token = await self._create_token()
        task = asyncio.current_task()
        if self._token is not None and task is not None:
            self._protocol.cancellable[self._token] = task
            self._send(types.WorkDoneProgressBegin(title=self._title, cancellable=True))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._token is not None:
            self._protocol.cancellable.pop(self._token, None)
            words = "cancelled" if kind is asyncio.CancelledError else "failed" if error else ""
            self._send(types.WorkDoneProgressEnd(message=words or None))

    def report(self, message: str) -> None:
        """Show `message` as the current step; may be called from any thread."""
        report = types.WorkDoneProgressReport(message=message, cancellable=True)
        self._loop.call_soon_threadsafe(self._send, report)

    def step(self, step: Step) -> None:
        """Show a step of an operation, as `report` does."""
        if step.text:
            self.report(step.text)

    async def _create_token(self) -> str | None:
        """A new progress token; None when the client refuses it."""
        window = self._context.capabilities().window
        if window is None or not window.work_done_progress:
            return None
        token = str(uuid.uuid4())
        try:
            async with asyncio.timeout(5):
                await self._context.server.window_work_done_progress_create_async(
                    types.WorkDoneProgressCreateParams(token)
                )
        except Exception as error:
            log.info("the client shows no progress: %s", error)
            return None
        return token

    def _send(
        self,
        value: types.WorkDoneProgressBegin
        | types.WorkDoneProgressReport
        | types.WorkDoneProgressEnd,
    ) -> None:
        if self._token is not None:
            self._context.server.progress(types.ProgressParams(self._token, value))
