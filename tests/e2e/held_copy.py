"""A socket in front of a real engine, behind which the copy of a workspace never ends for whoever waits for it."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

_COPY = re.compile(rb'"tar", ?"-xpf"')
_START = re.compile(rb"POST \S*/exec/\w+/start ")


class HeldCopy:
    """The engine at `host`; what the command that copies says, and that it ends, is not passed on."""

    def __init__(self, host: str) -> None:
        self.host = host
        self._is_made = threading.Event()
        self._is_held = threading.Event()

    def is_held(self) -> bool:
        """Whether the copy was begun by somebody who waits for it now."""
        return self._is_held.is_set()

    def serve(self, server: socket.socket, engine: str) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = server.accept()[0]
                threading.Thread(target=self._relay, args=(client, engine), daemon=True).start()

    def _relay(self, client: socket.socket, engine: str) -> None:
        held = threading.Event()
        with client, socket.socket(socket.AF_UNIX) as real, contextlib.suppress(OSError):
            real.connect(engine.removeprefix("unix://"))
            back = threading.Thread(target=self._answers, args=(real, client, held), daemon=True)
            back.start()
            while data := client.recv(65536):
                if self._is_made.is_set() and _START.search(data):
                    held.set()
                if _COPY.search(data):
                    self._is_made.set()
                real.sendall(data)
            real.shutdown(socket.SHUT_RDWR)
            back.join()

    def _answers(self, real: socket.socket, client: socket.socket, held: threading.Event) -> None:
        """The engine's answers; of a command that is held the head alone, so that it counts as begun."""
        with contextlib.suppress(OSError):
            while data := real.recv(65536):
                if held.is_set():
                    client.sendall(data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
                    break
                client.sendall(data)
            else:
                client.shutdown(socket.SHUT_WR)
                return
            self._is_held.set()
            while real.recv(65536):
                pass


@contextlib.contextmanager
def held_copy(engine: str, folder: Path) -> Iterator[HeldCopy]:
    """An engine that starts sandboxes until their workspace is to be copied."""
    path = str(folder / "held.sock")
    held = HeldCopy(f"unix://{path}")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(64)
        threading.Thread(target=held.serve, args=(server, engine), daemon=True).start()
        yield held
        # A thread that waits for a connection would keep the socket open.
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
