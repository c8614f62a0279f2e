"""A Unix socket that answers like a container engine, or badly."""

from __future__ import annotations

import contextlib
import json
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator

from sandboxd.engine.client import Engine
from sandboxd.engine.contexts import Identity

Answer = Callable[[str, str], tuple[int, object]]


@contextlib.contextmanager
def raw(serve: Callable[[socket.socket], None]) -> Iterator[Engine]:
    """An engine whose every connection is handed to `serve`."""
    # A Unix socket's path may have 107 bytes only, and pytest's folders are longer.
    with tempfile.TemporaryDirectory(prefix="sbx-") as folder:
        path = f"{folder}/engine.sock"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(8)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with contextlib.suppress(OSError), connection:
                    serve(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield Engine(Identity(f"unix://{path}"))
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join(5)


@contextlib.contextmanager
def answering(answer: Answer) -> Iterator[Engine]:
    """An engine that answers `(method, target)` with a status and a JSON value."""

    def serve(connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(65536)
        method, target = request.split()[:2]
        status, value = answer(method.decode(), target.decode())
        body = json.dumps(value).encode()
        head = (
            f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        )
        connection.sendall(head.encode() + b"\r\n\r\n" + body)

    with raw(serve) as engine:
        yield engine
