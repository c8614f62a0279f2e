"""One editor's session: the features, and the loop that passes messages to them.

The same class serves one editor over stdio in a process of its own, and many editors in the daemon: it is given a
stream and a writer.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Protocol

from cattrs import Converter
from lsprotocol import types
from pygls.protocol import default_converter

from sandboxd import __version__
from sandboxd.host.facts import UNKNOWN, HostFacts
from sandboxd.lsp import features
from sandboxd.lsp.context import Context
from sandboxd.lsp.judgements import Judgements
from sandboxd.lsp.protocol import TolerantProtocol, TolerantServer, read_message
from sandboxd.lsp.surroundings import ALONE, Surroundings

LONGEST_MESSAGE = 64 * 1024 * 1024

_EDITOR_LOOK_SECONDS = 10.0

log = logging.getLogger(__name__)


class Writer(Protocol):
    """The stream that answers are written to."""

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class Session:
    """The session of one client, from connection to end."""

    def __init__(
        self,
        environ: Mapping[str, str],
        host: HostFacts = UNKNOWN,
        surroundings: Surroundings = ALONE,
    ) -> None:
        self.server = TolerantServer(
            "sandboxd",
            __version__,
            types.TextDocumentSyncKind.Full,
            protocol_cls=TolerantProtocol,
            converter_factory=converter,
        )
        self.protocol = self.server.protocol
        self.judgements = Judgements(self.server, environ, host)
        self.context = Context(self.server, self.judgements, surroundings, environ)
        for name in feature_names():
            import_module(f"{features.__name__}.{name}").register(self.context)

    def set_host(self, host: HostFacts) -> None:
        """Set the host's facts and check all open documents again."""
        if self.judgements.set_host(host):
            self.context.refresh()

    def project_changed(self, path: str) -> None:
        """Handle a change of a project's files or of its sandbox."""
        if any(
            document.startswith(path.rstrip("/") + "/") for document in self.judgements.open_paths()
        ):
            self.judgements.forget_all()
            self.context.refresh()

    def names_changed(self) -> None:
        """Handle that a project's gateway reported something; no document is checked again."""
        for listener in self.context.names_listeners:
            listener()

    def files_changed(self, paths: set[str]) -> None:
        """Handle changes of files on disk in the watched folders."""
        for listener in self.context.file_listeners:
            listener(paths)

    async def run(self, reader: asyncio.StreamReader, writer: Writer) -> int:
        """Serve until the client sends `exit` or disconnects; return the exit code."""
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
            self.context.close()
            self.protocol.end()
        return 1 if self.protocol.exit_code is None else self.protocol.exit_code

    async def _stop_without_editor(self, reader: asyncio.StreamReader) -> None:
        """End when the editor's process is gone though another process holds its pipe open.

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


@cache
def feature_names() -> list[str]:
    """The names of the modules in `features`; other files there begin with `_`."""
    names = [module.name for module in pkgutil.iter_modules(features.__path__)]
    return sorted(name for name in names if not name.startswith("_"))


@cache
def converter() -> Converter:
    """The converter shared by all sessions, since creating one is the slowest part of a session."""
    shared: Converter = default_converter()  # type: ignore[no-untyped-call]
    return shared


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
