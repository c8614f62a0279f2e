"""The cluster's name server: a Pod of `kube-system` without a container, whose sockets are those of the test."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable

from sandboxd.verify import listeners
from tests.dns_sockets import DnsSockets

DOMAIN = "svc.cluster.local"
Resolve = Callable[[str], "list[str] | None"]


class NameServer:
    """Answers with the addresses that `resolve` has for a name; None where there is no such name."""

    def __init__(self, attach: Callable[[int], str], resolve: Resolve) -> None:
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo; read wait"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        self._holder.stdout.readline()
        self.address = attach(self._holder.pid)
        with listeners.network_of(self._holder.pid):
            udp, tcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket()
        for sock in (udp, tcp):
            sock.bind((self.address, 53))
        tcp.listen()
        self._sockets = DnsSockets(udp, tcp, lambda packet, _: _reply(packet, resolve))

    def close(self) -> None:
        self._sockets.close()
        self._holder.communicate()


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
