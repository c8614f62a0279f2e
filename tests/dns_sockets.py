"""The sockets of a test's name server: questions by UDP and TCP, and an end."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

Reply = Callable[[bytes, bool], "bytes | None"]
"""The answer to a question, and whether it came by TCP; None for silence."""

_SECONDS = 5.0


class DnsSockets:
    """Answers on a bound UDP socket and a listening TCP one until `close`."""

    def __init__(self, udp: socket.socket, tcp: socket.socket, reply: Reply) -> None:
        self._udp, self._tcp, self._reply = udp, tcp, reply
        for job in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=job, daemon=True).start()

    def close(self) -> None:
        for sock in (self._udp, self._tcp):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _serve_udp(self) -> None:
        while True:
            try:
                packet, sender = self._udp.recvfrom(4096)
            except OSError:
                return
            if not packet:
                return  # shut down
            with contextlib.suppress(IndexError, UnicodeError, OSError):
                if answer := self._reply(packet, False):
                    self._udp.sendto(answer, sender)

    def _serve_tcp(self) -> None:
        while True:
            try:
                client, _ = self._tcp.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError, IndexError, UnicodeError):
                client.settimeout(_SECONDS)
                answer = self._reply(client.recv(4096)[2:], True) or b""
                client.sendall(len(answer).to_bytes(2, "big") + answer)
