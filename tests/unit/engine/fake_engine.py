"""A Unix socket that answers like a container engine, or badly."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator

from sandboxd.engine.client import Engine
from sandboxd.engine.contexts import Identity
from tests.patience import PATIENCE

Answer = Callable[[str, str], tuple[int, object]]
AnswerToBody = Callable[[str, str, bytes], tuple[int, object]]


@contextlib.contextmanager
def raw(
    serve: Callable[[socket.socket], None], answer_seconds: float = PATIENCE
) -> Iterator[Engine]:
    """An engine whose every connection is handed to `serve`."""
    # A Unix socket's path may have 107 bytes only, and pytest's folders are longer.
    with tempfile.TemporaryDirectory(prefix="sbx-") as folder:
        path = f"{folder}/engine.sock"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(8)

        def hold(connection: socket.socket) -> None:
            # A client that waits for ever fails its test, and does not hang with it.
            connection.settimeout(2 * PATIENCE)
            with contextlib.suppress(OSError), connection:
                serve(connection)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=hold, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield Engine(Identity(f"unix://{path}"), answer_seconds)
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join(PATIENCE)


PODMAN = "Libpod/5.4.2 (linux)"
"""The signature of Podman's service."""


def request(connection: socket.socket) -> tuple[str, str]:
    """The method of the next request, and what is asked without the API's version; its body is read."""
    method, target, _ = whole_request(connection)
    return method, target


def whole_request(
    connection: socket.socket, server: str = "Docker/26.1 (linux)"
) -> tuple[str, str, bytes]:
    """The method of the next request, what is asked without the API's version, and its body.

    The question for the version is answered here, signed by `server`.
    """
    while True:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(65536)
            if not piece:
                raise ConnectionResetError
            head += piece
        head, _, body = head.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        while length is not None and len(body) < int(length[1]):
            body += connection.recv(65536)
        method, target = head.decode().split()[:2]
        if target != "/_ping":
            return method, re.sub(r"^/v[0-9.]+/", "/", target), body
        signed = f"HTTP/1.1 200 OK\r\nApi-Version: 1.45\r\nServer: {server}\r\nContent-Length: 2"
        connection.sendall(signed.encode() + b"\r\n\r\nOK")


@contextlib.contextmanager
def answering(answer: Answer) -> Iterator[Engine]:
    """An engine that answers `(method, target)` with a status and a JSON value."""
    with answering_to_bodies(lambda method, target, _body: answer(method, target)) as engine:
        yield engine


@contextlib.contextmanager
def answering_to_bodies(
    answer: AnswerToBody, server: str = "Docker/26.1 (linux)"
) -> Iterator[Engine]:
    """An engine that answers `(method, target, body)` with a status, and a JSON value or raw bytes."""

    def serve(connection: socket.socket) -> None:
        while True:
            status, value = answer(*whole_request(connection, server))
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            connection.sendall(head.encode() + b"\r\n\r\n" + body)

    with raw(serve) as engine:
        yield engine
