"""The internet of the tests: a name server that remembers what it was asked, and a few services."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable

from sandboxd.egress.gateway import dns
from tests.dns_sockets import DnsSockets
from tests.integration.egress.namespaces import INTERNET, Namespaces

_BIG = bytes(1 << 20)


class NameServer:
    """Answers from `records`: addresses, an alias (`CNAME name`), `SILENT`, `TRUNCATE address`."""

    def __init__(self, namespaces: Namespaces) -> None:
        self.records: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.lower_case = False
        """Whether it forgets the letters' case, as a few servers do."""
        udp = namespaces.listener(INTERNET, 53, socket.SOCK_DGRAM)
        self._sockets = DnsSockets(udp, namespaces.listener(INTERNET, 53), self._reply)

    def close(self) -> None:
        self._sockets.close()

    def _reply(self, packet: bytes, by_tcp: bool) -> bytes | None:
        question = dns.read_question(packet)
        self.asked.append(question.name)
        section = question.section.lower() if self.lower_case else question.section
        records = self.records.get(question.name)
        if records == ["SILENT"]:
            return None
        if records is None:
            return _message(packet, section, 0x8183, [])
        if records[0].startswith("TRUNCATE "):
            if not by_tcp:
                return _message(packet, section, 0x8380, [])
            records = [records[0].removeprefix("TRUNCATE ")]
        answers, owner = [], b"\xc0\x0c"
        while records and records[0].startswith("CNAME "):
            target = records[0].removeprefix("CNAME ")
            encoded = b"".join(bytes([len(x)]) + x.encode() for x in target.split(".")) + b"\0"
            answers.append(owner + struct.pack(">HHIH", dns.CNAME, 1, 60, len(encoded)) + encoded)
            owner, records = encoded, self.records.get(target, [])
        for record in records:
            kind = dns.AAAA if ":" in record else dns.A
            if kind == question.type:
                family = socket.AF_INET6 if kind == dns.AAAA else socket.AF_INET
                data = socket.inet_pton(family, record)
                answers.append(owner + struct.pack(">HHIH", kind, 1, 1, len(data)) + data)
        return _message(packet, section, 0x8180, answers)


def _message(packet: bytes, section: bytes, flags: int, answers: list[bytes]) -> bytes:
    head = packet[:2] + struct.pack(">HHHHH", flags, 1, len(answers), 0, 0)
    return head + section + b"".join(answers)


class Services:
    """Servers of streams, each a function of one connection."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces
        self._listeners: list[socket.socket] = []
        self.heads: list[bytes] = []
        """Heads of the HTTP requests that arrived."""

    def serve(
        self, port: int, use: Callable[[socket.socket], None], address: str = INTERNET
    ) -> None:
        listener = self._namespaces.listener(address, port)
        self._listeners.append(listener)
        threading.Thread(target=self._accept, args=(listener, use), daemon=True).start()

    def close(self) -> None:
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener: socket.socket, use: Callable[[socket.socket], None]) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._use, args=(client, use), daemon=True).start()

    def _use(self, client: socket.socket, use: Callable[[socket.socket], None]) -> None:
        with contextlib.suppress(OSError, EOFError), client:
            use(client)

    def http(self, client: socket.socket) -> None:
        """Says which request it got. `/redirect` leads to a denied host, `/big` is a megabyte."""
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                more = client.recv(65536)
                if not more:
                    return
                data += more
            head, _, data = data.partition(b"\r\n\r\n")
            self.heads.append(head)
            data = self._body(client, head, data)
            path = head.split()[1]
            if b"upgrade: websocket" in head.lower():
                client.sendall(
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                    b"Connection: Upgrade\r\n\r\nhello"
                )
                echo(client)
                return
            if path == b"/redirect":
                client.sendall(
                    b"HTTP/1.1 302 Found\r\nLocation: http://denied.example/\r\n"
                    b"Content-Length: 0\r\n\r\n"
                )
            elif path == b"/chunked":
                client.sendall(
                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
                    b"6\r\nsecond\r\n0\r\n\r\n"
                )
            elif path == b"/to-the-end":
                client.sendall(b"HTTP/1.0 200 OK\r\n\r\nuntil it closes")
                return
            else:
                body = _BIG if path == b"/big" else b"internet " + head.split(b"\r\n")[0]
                length = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
                client.sendall(length if head.startswith(b"HEAD") else length + body)

    def _body(self, client: socket.socket, head: bytes, data: bytes) -> bytes:
        """Reads a body; what follows it."""
        lines = head.lower().split(b"\r\n")
        if b"transfer-encoding: chunked" in lines:
            while b"0\r\n\r\n" not in data:
                data += _more(client)
            self.heads.append(b"body " + data)
            return data.partition(b"0\r\n\r\n")[2]
        length = next((int(x[15:]) for x in lines if x.startswith(b"content-length:")), 0)
        while len(data) < length:
            data += _more(client)
        if length:
            self.heads.append(b"body " + data[:length])
        return data[length:]


def _more(client: socket.socket) -> bytes:
    """What comes next.

    :raises EOFError: the client left in the middle: to go on would take a processor from all later tests
    """
    data = client.recv(65536)
    if not data:
        raise EOFError
    return data


def echo(client: socket.socket) -> None:
    while data := client.recv(1 << 18):
        client.sendall(data)


def redis(client: socket.socket) -> None:
    """Answers as Redis does to the two simplest commands."""
    while data := client.recv(4096):
        client.sendall(b"+PONG\r\n" if data.upper().startswith(b"PING") else b"-ERR\r\n")


def banner(client: socket.socket) -> None:
    """Speaks first, as ssh and mail do."""
    client.sendall(b"SSH-2.0-internet\r\n")
    echo(client)


def source(client: socket.socket) -> None:
    """Sends as many bytes as the first line says."""
    left = int(client.recv(64))
    while left > 0:
        left -= client.send(_BIG[: min(left, len(_BIG))])


def sink(client: socket.socket) -> None:
    """Counts to the end, and says how many there were."""
    count = 0
    while data := client.recv(1 << 20):
        count += len(data)
    client.sendall(b"%d" % count)


def tls_echo(certificate: str) -> Callable[[socket.socket], None]:
    """Speaks TLS, and says which server was asked for before it repeats what it hears."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    names: dict[int, str | None] = {}
    context.sni_callback = lambda sock, name, _: names.__setitem__(id(sock), name)

    def use(client: socket.socket) -> None:
        with (
            contextlib.suppress(ssl.SSLError),
            context.wrap_socket(client, server_side=True) as sock,
        ):
            sock.sendall(f"sni={names.get(id(sock))}\n".encode())
            while data := sock.recv(65536):
                sock.sendall(data)

    return use
