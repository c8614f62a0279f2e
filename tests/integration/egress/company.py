"""A company's HTTP proxy, played: it resolves names by itself, and may want credentials."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from collections.abc import Callable


class Company:
    """Carries what it is asked for to one origin, whatever the name."""

    def __init__(self, open_socket: Callable[[], socket.socket], origin: str) -> None:
        """:param open_socket: makes a TCP socket of the network that `origin`, an address, is on"""
        self._open_socket, self._origin = open_socket, origin
        self.heads: list[bytes] = []
        """Heads of the requests that arrived."""
        self.login = ""
        """``user:password`` that it wants; '' for none."""
        self.answer = b""
        """Said in place of everything else, where it is not empty."""

    def serve(self, client: socket.socket) -> None:
        """One connection."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            more = client.recv(1)
            if not more:
                return
            head += more
        self.heads.append(head)
        wanted = base64.b64encode(self.login.encode())
        if self.answer:
            client.sendall(self.answer)
        elif self.login and b"Proxy-Authorization: Basic " + wanted + b"\r\n" not in head:
            client.sendall(
                b"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=corp\r\n"
                b"Content-Length: 0\r\n\r\n"
            )
        elif head.startswith(b"CONNECT "):
            port = int(head.split(b" ")[1].rpartition(b":")[2])
            self._carry(client, port, b"HTTP/1.1 200 yes\r\nX: y\r\n\r\n", b"")
        else:
            method, url, rest = head.split(b" ", 2)
            place, _, path = url.removeprefix(b"http://").partition(b"/")
            number = place.partition(b":")[2]
            self._carry(client, int(number or 80), b"", method + b" /" + path + b" " + rest)

    def _carry(self, client: socket.socket, port: int, first: bytes, early: bytes) -> None:
        with self._open_socket() as server:
            server.connect((self._origin, port))
            client.sendall(first)
            server.sendall(early)
            exchange(client, server)


def exchange(one: socket.socket, other: socket.socket) -> None:
    """Carry what each side sends to the other, until both have ended."""
    back = threading.Thread(target=_copy, args=(other, one), daemon=True)
    back.start()
    _copy(one, other)
    back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
