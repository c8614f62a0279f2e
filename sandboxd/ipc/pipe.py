"""Copies an editor's bytes to the daemon and back: all of `sandboxd lsp` when a daemon runs.

Imports nothing slow: an editor waits for it. Two blocking threads need neither buffers nor asyncio: a side
that does not read is not written to. As soon as one side ends, so does the process."""

from __future__ import annotations

import os

from sandboxd.errors import DaemonError
from sandboxd.ipc import messages
from sandboxd.ipc.dial import GREETING_SECONDS, WELCOME, dial, hello

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import NoReturn, Protocol

    class Stream(Protocol):
        """A connected socket, of `socket` or of `_socket`."""

        def recv(self, size: int, /) -> bytes: ...
        def sendall(self, data: bytes, /) -> None: ...
        def shutdown(self, how: int, /) -> None: ...


_LAST_WORDS_SECONDS = 1.0
_SIZE = 262144
_SHUT_WR = 1
_ATTACHED = '{"jsonrpc":"2.0","id":2,"result":{'


def fast_lsp(arguments: list[str]) -> None:
    """Serve the editor through a daemon of this version and end the process; return if there is no such daemon.

    :param arguments: those of the command line after `sandboxd`
    """
    if not all(a == "--stdio" or a.startswith("--clientProcessId=") for a in arguments):
        return
    try:
        connection = _attach(os.environ)
    except (ImportError, AttributeError, OSError, ValueError, DaemonError):
        return
    if connection is not None:
        pump(connection, 0, 1)


def pump(connection: Stream, incoming: int, outgoing: int) -> NoReturn:
    """Copy bytes both ways; ends the process with the exit code of the session."""
    from _thread import allocate_lock, start_new_thread

    ending = allocate_lock()
    ending.acquire()

    def from_editor() -> None:
        try:
            while data := os.read(incoming, _SIZE):
                connection.sendall(data)
            connection.shutdown(_SHUT_WR)
        except OSError:
            pass
        ending.release()

    def to_editor() -> None:
        os._exit(_copy(connection.recv, outgoing))

    start_new_thread(from_editor, ())
    start_new_thread(to_editor, ())
    ending.acquire()
    # The editor closed its end. Its last message may have been `exit`, whose code still arrives.
    ending.acquire(True, _LAST_WORDS_SECONDS)
    os._exit(1)


def _copy(receive: Callable[[int], bytes], outgoing: int) -> int:
    """Copy until the session ends; returns its exit code, 1 when the daemon died."""
    try:
        while data := receive(_SIZE):
            body, end, code = data.partition(messages.SESSION_END)
            rest = memoryview(body)
            while rest:
                rest = rest[os.write(outgoing, rest) :]
            if end:
                return 0 if (code or receive(1)) == b"0" else 1
    except OSError:
        pass
    return 1


def _request(environ: Mapping[str, str]) -> bytes:
    """`hello` and `lsp/attach` in one write."""
    from _json import encode_basestring_ascii as quote

    try:
        cwd = os.getcwd()
    except OSError:
        cwd = "/"
    pairs = ",".join(f"{quote(name)}:{quote(value)}" for name, value in environ.items())
    attach = (
        f'{{"jsonrpc":"2.0","id":2,"method":"{messages.LSP_ATTACH}","params":{{'
        f'"environ":{{{pairs}}}}}}}\n'
    )
    return (hello(environ, cwd) + attach).encode("ascii")


def _attach(environ: Mapping[str, str]) -> Stream | None:
    """A connection on which the daemon now speaks the language server protocol."""
    connection = dial(environ, GREETING_SECONDS)
    if connection is None:
        return None
    is_attached = False
    try:
        connection.sendall(_request(environ))
        received = b""
        while received.count(b"\n") < 2:
            part = connection.recv(65536)
            if not part:
                return None
            received += part
            if not received.startswith(WELCOME.encode("ascii")[: len(received)]):
                return None
        is_attached = received.split(b"\n")[1].decode("ascii").startswith(_ATTACHED)
        connection.settimeout(None)
        return connection if is_attached else None
    finally:
        if not is_attached:
            connection.close()
