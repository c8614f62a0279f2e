"""One editor's session: the features, and the loop that feeds them.

The same class serves an editor over stdio in a process of its own, and would serve it over the
daemon's socket: it is given a stream and a way to write.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Protocol

from cattrs import Converter
from lsprotocol import types
from pygls.protocol import default_converter

from sandboxd import __version__
from sandboxd.host.facts import UNKNOWN, HostFacts
from sandboxd.lsp.features.code_actions import CodeActions
from sandboxd.lsp.features.diagnostics import Diagnostics
from sandboxd.lsp.features.hover import Hover
from sandboxd.lsp.judgements import Judgements
from sandboxd.lsp.protocol import TolerantProtocol, TolerantServer, read_message

LONGEST_MESSAGE = 64 * 1024 * 1024

_EDITOR_LOOK_SECONDS = 10.0

log = logging.getLogger(__name__)


class Writer(Protocol):
    """Where answers go."""

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class Session:
    """One client, from its first byte to its last."""

    def __init__(self, environ: Mapping[str, str], host: HostFacts = UNKNOWN) -> None:
        self.server = TolerantServer(
            "sandboxd",
            __version__,
            types.TextDocumentSyncKind.Full,
            protocol_cls=TolerantProtocol,
            converter_factory=_converter,
        )
        self.protocol = self.server.protocol
        self.judgements = Judgements(self.server, environ, host)
        self.diagnostics = Diagnostics(self.server, self.judgements)
        self._register()

    def set_host(self, host: HostFacts) -> None:
        """Judge what is open again, now that the host is known."""
        self.diagnostics.set_host(host)

    async def run(self, reader: asyncio.StreamReader, writer: Writer) -> int:
        """Serve until the client says `exit` or goes away; returns the exit code."""
        self.protocol.set_writer(writer)
        watch = asyncio.create_task(self._stop_without_editor(reader))
        try:
            while self.protocol.exit_code is None:
                body = await read_message(reader, LONGEST_MESSAGE)
                if body is None:
                    break
                self.protocol.receive(body)
        except ValueError as error:
            log.error("the session ends: %s", error)
            return 1
        except ConnectionError:
            return 1
        finally:
            watch.cancel()
            self.diagnostics.close()
        return 1 if self.protocol.exit_code is None else self.protocol.exit_code

    def _register(self) -> None:
        actions = CodeActions(self.judgements)
        hover = Hover(self.judgements)
        self._feature(types.TEXT_DOCUMENT_DID_OPEN, self.diagnostics.opened)
        self._feature(types.TEXT_DOCUMENT_DID_CHANGE, self.diagnostics.changed)
        self._feature(types.TEXT_DOCUMENT_DID_CLOSE, self.diagnostics.closed)
        kinds = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
        self._feature(types.TEXT_DOCUMENT_CODE_ACTION, actions.code_actions, kinds)
        self._feature(types.TEXT_DOCUMENT_HOVER, hover.hover)

    def _feature(self, method: str, handler: Callable[[Any], Any], options: Any = None) -> None:
        # pygls sets attributes on what it is given, which bound methods do not take.
        self.server.feature(method, options)(lambda params: handler(params))

    async def _stop_without_editor(self, reader: asyncio.StreamReader) -> None:
        """End when the editor's process is gone though its pipe is still held open by another.

        A process id that means nothing here (a container, another machine) is not watched.
        """
        while self.server.process_id is None:
            await asyncio.sleep(_EDITOR_LOOK_SECONDS)
        pid = self.server.process_id
        while _exists(pid):
            await asyncio.sleep(_EDITOR_LOOK_SECONDS)
            if not _exists(pid):
                log.warning("the editor (pid %d) is gone", pid)
                reader.feed_eof()
                return


def warm_up() -> None:
    """Make the converter compile what the first messages need: tens of milliseconds, once."""
    converter = _converter()
    position = types.Position(0, 0)
    diagnostic = types.Diagnostic(types.Range(position, position), "")
    params = types.PublishDiagnosticsParams("", [diagnostic])
    converter.unstructure(types.PublishDiagnosticsNotification(params))


@cache
def _converter() -> Converter:
    """One for all sessions: making one costs more than all the rest of a session."""
    converter: Converter = default_converter()  # type: ignore[no-untyped-call]
    return converter


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
