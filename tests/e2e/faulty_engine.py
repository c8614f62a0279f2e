"""A socket in front of a real engine, which breaks at one request as an engine does that restarts."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Fault(NamedTuple):
    """At the first request that matches `at`: with `answer`, that is said; without, the request is
    passed on and the connection is cut before the answer."""

    at: str
    answer: bytes = b""


def refusal(message: str) -> bytes:
    body = f'{{"message": "{message}"}}'.encode()
    head = "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@contextlib.contextmanager
def faulty(engine: str, folder: Path, fault: Fault) -> Iterator[str]:
    """The DOCKER_HOST of an engine with `fault`; the fault happens once."""
    path = str(folder / "faulty.sock")
    left = [fault]
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(64)
        threading.Thread(target=_serve, args=(server, engine, left), daemon=True).start()
        yield f"unix://{path}"
    assert left == [], "the fault did not happen"


def _serve(server: socket.socket, engine: str, left: list[Fault]) -> None:
    with contextlib.suppress(OSError):
        while True:
            client = server.accept()[0]
            threading.Thread(target=_relay, args=(client, engine, left), daemon=True).start()


def _relay(client: socket.socket, engine: str, left: list[Fault]) -> None:
    cut = threading.Event()
    with client, socket.socket(socket.AF_UNIX) as real, contextlib.suppress(OSError):
        real.connect(engine.removeprefix("unix://"))
        back = threading.Thread(target=_answers, args=(real, client, cut), daemon=True)
        back.start()
        # A connection carries one request after another.
        while data := client.recv(65536):
            broken = left.pop() if left and re.search(left[0].at.encode(), data) else None
            if broken is not None and broken.answer:
                client.sendall(broken.answer)
                client.shutdown(socket.SHUT_WR)
                # What is left unread at the end, as the body of a request, takes the answer from the client.
                while client.recv(65536):
                    pass
                return
            if broken is not None:
                cut.set()
            real.sendall(data)
        real.shutdown(socket.SHUT_WR)
        back.join()


def _answers(real: socket.socket, client: socket.socket, cut: threading.Event) -> None:
    """The engine's answers; the first that begins after `cut` ends the connection instead."""
    with contextlib.suppress(OSError):
        while data := real.recv(65536):
            if cut.is_set():
                break
            client.sendall(data)
        client.shutdown(socket.SHUT_RDWR if cut.is_set() else socket.SHUT_WR)
