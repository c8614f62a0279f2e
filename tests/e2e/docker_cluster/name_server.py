"""The cluster's name server: a Pod of `kube-system` without a container, whose sockets are those of the test."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Callable

from sandboxd.verify import listeners

DOMAIN = "svc.cluster.local"
Resolve = Callable[[str], "list[str] | None"]


class NameServer:
    """Answers with the addresses that `resolve` has for a name; None where there is no such name."""

    def __init__(self, attach: Callable[[int], str], resolve: Resolve) -> None:
        self._resolve = resolve
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo; read wait"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        self._holder.stdout.readline()
        self.address = attach(self._holder.pid)
        with listeners.network_of(self._holder.pid):
            self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._tcp = socket.socket()
        for sock in (self._udp, self._tcp):
            sock.bind((self.address, 53))
        self._tcp.listen()
        for job in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=job, daemon=True).start()

    def close(self) -> None:
        for sock in (self._udp, self._tcp):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self._holder.communicate()

    def _serve_udp(self) -> None:
        while True:
            try:
                packet, sender = self._udp.recvfrom(4096)
            except OSError:
                return
            if not packet:
                return
            with contextlib.suppress(IndexError, UnicodeError):
                self._udp.sendto(_reply(packet, self._resolve), sender)

    def _serve_tcp(self) -> None:
        while True:
            try:
                client, _ = self._tcp.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError, IndexError, UnicodeError):
                client.settimeout(5)
                packet = client.recv(4096)[2:]
                answer = _reply(packet, self._resolve)
                client.sendall(len(answer).to_bytes(2, "big") + answer)


def _reply(packet: bytes, resolve: Resolve) -> bytes:
    """Addresses of the fourth version alone (RFC 1035, section 4.1)."""
    labels, end = [], 12
    while packet[end]:
        labels.append(packet[end + 1 : end + 1 + packet[end]].decode("ascii"))
        end += 1 + packet[end]
    kind = int.from_bytes(packet[end + 1 : end + 3], "big")
    found = resolve(".".join(labels).lower())
    addresses = (found or []) if kind == 1 else []
    flags = b"\x81\x83" if found is None else b"\x81\x80"
    head = packet[:2] + flags + b"\0\1" + len(addresses).to_bytes(2, "big") + b"\0\0\0\0"
    records = b"".join(
        b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton(each) for each in addresses
    )
    return head + packet[12 : end + 5] + records
