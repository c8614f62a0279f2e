"""Requests of a program inside to the gateway, at each of its ports."""

from __future__ import annotations

import os
import socket
import struct
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable

HTTP, SOCKS = 3128, 1080
_SECONDS = 1.5


def gateway(facts: dict[str, Any]) -> str:
    """The address of the gateway.

    :raises NotApplicable: there is none
    """
    address = str(facts["gateway"])
    if not address:
        raise NotApplicable("no gateway is beside it")
    return address


def http(address: str, request: str) -> bytes:
    """The first bytes that the HTTP proxy answers, and what follows a tunnel's head.

    :raises OSError: it does not take the connection
    """
    with socket.create_connection((address, HTTP), timeout=_SECONDS) as connection:
        connection.sendall(request.encode())
        return _all(connection)


def connect(address: str, host: str, port: int) -> bytes:
    """The answer to CONNECT, and what comes through the tunnel."""
    return http(address, f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n")


def get(address: str, host: str, port: int) -> bytes:
    """The answer to a plain request by the absolute form."""
    target = host if port == 80 else f"{host}:{port}"
    return http(address, f"GET http://{target}/ HTTP/1.1\r\nHost: {target}\r\n\r\n")


def socks(address: str, host: str, port: int) -> bytes:
    """The reply of the SOCKS5 server to a request; a host of four numbers is sent as an address."""
    try:
        destination = b"\1" + socket.inet_aton(host) if host[-1:].isdigit() else b""
    except OSError:
        destination = b""
    destination = destination or b"\3" + bytes([len(host)]) + host.encode()
    with socket.create_connection((address, SOCKS), timeout=_SECONDS) as connection:
        connection.sendall(b"\5\1\0")
        if connection.recv(2) != b"\5\0":
            raise OSError("SOCKS wants a password")
        connection.sendall(b"\5\1\0" + destination + struct.pack(">H", port))
        return _all(connection)


def query(name: str, kind: int = 1) -> bytes:
    """A question of the domain name system for one record (RFC 1035, section 4.1)."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    head = os.urandom(2) + b"\1\0\0\1" + bytes(6)
    return head + labels + b"\0" + struct.pack(">HH", kind, 1)


def ask(server: str, packet: bytes, seconds: float = 0.7) -> bytes:
    """The answer of a name server by UDP.

    :raises OSError: none comes
    """
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as channel:
        channel.settimeout(seconds)
        channel.connect((server, 53))
        channel.send(packet)
        answer = channel.recv(512)
    if answer[:2] != packet[:2]:
        raise OSError("the answer to another question")
    return answer


def address_in(answer: bytes, packet: bytes) -> str:
    """The address that a gateway's answer gives, '' where it gives none."""
    if answer[3] & 15 or answer[6:8] != b"\0\1":
        return ""
    return socket.inet_ntoa(answer[len(packet) + 12 : len(packet) + 16])


def banner(text: bytes) -> str:
    """The secret of a listener of ours: the last word, behind whatever head a proxy put before."""
    return text.decode("latin-1").strip().rpartition("\n")[2][-32:]


def _all(connection: socket.socket) -> bytes:
    data = b""
    try:
        while len(data) < 4096:
            part = connection.recv(4096)
            if not part:
                break
            data += part
    except OSError:
        if not data:
            raise
    return data
