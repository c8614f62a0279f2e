"""pygls' protocol, made robust against messages that real clients send.

Differences from pygls 2.1: a request that cannot be decoded gets an answer; only the outermost object counts as a
message; futures of finished handlers are released; `exit` ends the session, not the process; the texts are kept by us,
since `str.splitlines` sees line ends where the protocol has none; errors are logged, not shown as pop-ups.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

from cattrs import Converter
from lsprotocol import types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcParseError,
    JsonRpcServerNotInitialized,
)
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.language_server import lsp_method

from sandboxd.lsp import hot
from sandboxd.lsp.documents import Documents
from sandboxd.lsp.repair import repair
from sandboxd.lsp.trace import TracingWriter
from sandboxd.markup import in_message
from sandboxd.text import Encoding

log = logging.getLogger(__name__)


class TolerantProtocol(LanguageServerProtocol):
    """The protocol state of one client. `exit_code` is None until the client sent `exit`."""

    def __init__(self, server: LanguageServer, converter: Converter) -> None:
        super().__init__(server, converter)
        self.documents = Documents()
        self.exit_code: int | None = None
        self._traced: TracingWriter | None = None
        self._initialized = False
        self.commands: dict[str, Callable[[types.ExecuteCommandParams], Awaitable[Any]]] = {}
        self.cancellable: dict[str | int, asyncio.Task[Any]] = {}
        """The tasks behind what an editor shows as progress, by its token."""

    def agreed_encoding(self) -> Encoding:
        """The negotiated encoding of columns; known after the client initialized."""
        # pygls gives the client's own string, or its enumeration when the client named none.
        agreed = self.workspace.position_encoding
        return cast("Encoding", getattr(agreed, "value", agreed))

    def receive(self, body: bytes) -> None:
        """Handle one message; a request always gets an answer, however invalid it is."""
        try:
            data = json.loads(body)
        except (ValueError, RecursionError) as error:
            log.warning("a message is not JSON: %s", error)
            self._refuse(None, JsonRpcParseError())
            return
        if not isinstance(data, dict):
            self._refuse(None, JsonRpcInvalidRequest("a message is an object"))
            return
        if self._traced is not None:
            self._traced.received(data)
        if (change := self._hot_change(data)) is not None:
            self.lsp_text_document__did_change(change)
            return
        number = data.get("id") if "method" in data else None
        if number is not None and (refusal := self._untimely(data["method"])) is not None:
            self._refuse(number, refusal)
            return
        try:
            message = self._decode(data)
        except Exception as error:
            log.warning("params of `%s` do not decode: %s", data.get("method"), error)
            if number is not None:
                self._refuse(number, JsonRpcInvalidParams())
            return
        self._initialized = self._initialized or data.get("method") == types.INITIALIZE
        self.handle_message(message)

    def _hot_change(self, data: dict[str, Any]) -> types.DidChangeTextDocumentParams | None:
        return hot.change(data) if self._initialized and not self._shutdown else None

    def set_writer(self, writer: Any, include_headers: bool = True) -> None:
        """Write messages to `writer`, and trace them if the client asks for it."""
        self._traced = TracingWriter(writer)
        super().set_writer(self._traced, include_headers)

    def set_trace_level(self, level: object) -> None:
        """Set which messages are traced: `off`, `messages` or `verbose`."""
        if self._traced is not None:
            self._traced.level = str(getattr(level, "value", level) or "off")

    def publish(
        self, uri: str, diagnostics: list[types.Diagnostic], version: int | None = None
    ) -> None:
        """Send the diagnostics of a document, with its version if it is open."""
        if self.writer is not None:
            self.writer.write(hot.publication(uri, diagnostics, version))

    def _untimely(self, method: object) -> JsonRpcException | None:
        """The error for a request that is refused at this point of the session; None when it is not."""
        if self._shutdown:
            return JsonRpcInvalidRequest("the session was shut down")
        if not self._initialized and method != types.INITIALIZE:
            return JsonRpcServerNotInitialized()
        if self._initialized and method == types.INITIALIZE:
            return JsonRpcInvalidRequest("the session is initialized already")
        if isinstance(method, str) and self._is_notification(method):
            return JsonRpcInvalidRequest("this is a notification, which has no `id`")
        return None

    # pygls remembers the answers of these two with the protocol itself, which then never goes.

    def get_message_type(self, method: str) -> Any:  # type: ignore[override]
        return types.METHOD_TO_TYPES.get(method, (None,))[0]

    def get_result_type(self, method: str) -> Any:  # type: ignore[override]
        return types.METHOD_TO_TYPES.get(method, (None, None))[1]

    def _is_notification(self, method: str) -> bool:
        return self.get_message_type(method) is not None and self.get_result_type(method) is None

    def _decode(self, data: dict[str, Any]) -> Any:
        data = {"jsonrpc": self.VERSION, **data}
        try:
            return self.structure_message(data)
        except JsonRpcException:
            params = data.get("params")
            if "method" not in data or not isinstance(params, dict):
                raise
            decode = cast("Callable[[Any, Any], Any]", self._converter.structure)
            return self.structure_message(
                {**data, "params": repair(data["method"], params, decode)}
            )

    def structure_message(self, data: dict[str, Any]) -> Any:
        if "error" in data:
            self._result_types.pop(data.get("id", ""), None)
        return super().structure_message(data)

    def _execute_handler(
        self,
        msg_id: str | int,
        handler: Any,
        callback: Any,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        super()._execute_handler(msg_id, handler, callback, args, kwargs)
        future = self._request_futures.get(msg_id)
        if future is not None:
            future.add_done_callback(lambda _: self._request_futures.pop(msg_id, None))

    def _serialize_message(self, message: Any) -> Any:
        return _without_links(super()._serialize_message(message))

    def end(self) -> None:
        """Cancel the requests that still run for a client that disconnected."""
        for future in list(self._request_futures.values()):
            future.cancel()
        self.writer = None

    def _send_data(self, data: Any) -> None:
        # The client disconnected before this work ended, so the result is dropped.
        if self.writer is not None:
            super()._send_data(data)

    def _refuse(self, number: str | int | None, error: JsonRpcException) -> None:
        response = error.to_response_error()
        self._send_data(
            {
                "jsonrpc": self.VERSION,
                "id": number,
                "error": {"code": response.code, "message": response.message},
            }
        )

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_args: Any) -> None:  # type: ignore[override]
        self.exit_code = 0 if self._shutdown else 1

    @lsp_method(types.SET_TRACE)
    def lsp_set_trace(self, params: types.SetTraceParams) -> None:  # type: ignore[override]
        self.set_trace_level(params.value)

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        item = params.text_document
        self.documents.open(item.uri, item.version, item.text, str(item.language_id))
        self._tell(types.TEXT_DOCUMENT_DID_OPEN, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        item = params.text_document
        if self.documents.change(
            item.uri, item.version, params.content_changes, self.agreed_encoding()
        ):
            self._tell(types.TEXT_DOCUMENT_DID_CHANGE, params)
        else:
            log.warning("a change of a document that is not open was ignored")

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        self.documents.close(params.text_document.uri)
        self._tell(types.TEXT_DOCUMENT_DID_CLOSE, params)

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # type: ignore[override]
        self, params: types.ExecuteCommandParams
    ) -> Any:
        """Run a command; unlike in pygls, cancelling the request ends it."""
        command = self.commands.get(params.command)
        if command is None:
            raise JsonRpcInvalidParams(f"there is no command `{params.command[:100]}`")
        return await command(params)

    @lsp_method(types.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    def lsp_work_done_progress_cancel(self, params: types.WorkDoneProgressCancelParams) -> None:
        task = self.cancellable.get(params.token)
        if task is not None:
            task.cancel()

    def _tell(self, method: str, params: Any) -> None:
        """Call our feature for `method`, if there is one."""
        handler = self.fm.features.get(method)
        if handler is not None:
            handler(params)


def _without_links(message: Any) -> Any:
    """`message` with plain words instead of links in the texts of notifications.

    Applied to all messages: if one were forgotten, a repository could show a link of its own.
    """
    if not isinstance(message, dict):
        return message
    parts = [message.get("error")]
    if message.get("method") in (types.WINDOW_SHOW_MESSAGE, types.WINDOW_SHOW_MESSAGE_REQUEST):
        parts.append(message.get("params"))
    elif message.get("method") == types.PROGRESS:
        parts.append((message.get("params") or {}).get("value"))
    for part in parts:
        for key in ("message", "title"):
            if isinstance(part, dict) and isinstance(part.get(key), str):
                part[key] = in_message(part[key])
    return message


class TolerantServer(LanguageServer):
    """A language server that logs errors instead of showing each as a pop-up."""

    protocol: TolerantProtocol

    def report_server_error(self, error: Exception, source: Any) -> None:
        log.error("%s: %s", getattr(source, "__name__", source), error)


async def read_message(reader: asyncio.StreamReader, limit: int) -> bytes | None:
    """Read the body of the next message; None at the end of the stream.

    :raises ValueError: the headers contain no length, or one above `limit`
    """
    length = None
    while True:
        try:
            header = await reader.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            return None
        except asyncio.LimitOverrunError:
            raise ValueError("a header is too long") from None
        header = header.strip()
        if not header:
            if length is None:
                continue
            break
        name, _, value = header.partition(b":")
        if name.strip().lower() == b"content-length":
            if not value.strip().isdigit() or int(value) > limit:
                raise ValueError("a message has no length, or too much of it")
            length = int(value)
    try:
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        return None
