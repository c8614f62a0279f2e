"""What a program inside a workspace does: looks names up, connects, speaks to the proxies."""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import NamedTuple

from sandboxd.egress.gateway import dns
from sandboxd.egress.layout import ASK_PORT, DNS_PORT, PROXY_PORT, SOCKS_PORT
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule
from tests.integration.egress.namespaces import PLACE, Namespaces
from tests.patience import PATIENCE

OPEN = Rule(pattern("open.example"), (7, 22, 80, 443, 9000, 9001), source="tests")
POLICY = Policy(rules=(OPEN,))
GET = b"GET / HTTP/1.1\r\nHost: open.example\r\n\r\n"

_QUIET_SECONDS = 0.4
"""After a whole answer: how long more is waited for, where nothing says that it was the last."""

_REFUSED = (ConnectionRefusedError, ConnectionResetError, BrokenPipeError)


class Reply(NamedTuple):
    """Of the stub."""

    code: int
    addresses: tuple[str, ...]


class Workspace:
    """One, by its namespace."""

    def __init__(self, namespaces: Namespaces, dns_port: int = DNS_PORT) -> None:
        self.namespaces, self.dns_port = namespaces, dns_port

    def lookup(
        self, name: str, kind: int = dns.A, upper: int = 0, tcp: bool = False
    ) -> Reply | None:
        """What the stub says; None for silence."""
        asked = dns.query(4711, name, kind, upper)
        packet = self.ask_stub(asked, tcp)
        if packet is None:
            return None
        code, _, addresses, _ = dns.read_answer(packet, asked)
        return Reply(code, addresses)

    def ask_stub(self, packet: bytes, tcp: bool = False, seconds: float = PATIENCE) -> bytes | None:
        if tcp:
            sock = self.tcp(PLACE.gateway, self.dns_port)
            with sock:
                sock.sendall(len(packet).to_bytes(2, "big") + packet)
                return sock.recv(2048)[2:] or None
        with self.namespaces.new_socket(self.namespaces.workspace, socket.SOCK_DGRAM) as udp:
            udp.settimeout(seconds)
            udp.sendto(packet, (PLACE.gateway, self.dns_port))
            try:
                return udp.recv(2048)
            except TimeoutError:
                return None

    def tcp(self, address: str, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = self.namespaces.new_socket(self.namespaces.workspace, family=family)
        sock.settimeout(PATIENCE)
        try:
            sock.connect((address, port))
        except OSError:
            sock.close()
            raise
        return sock

    def address(self, name: str) -> str:
        """The synthetic address of an allowed name."""
        reply = self.lookup(name)
        assert reply is not None and len(reply.addresses) == 1, reply
        return reply.addresses[0]

    def direct(self, name: str, port: int) -> socket.socket:
        """A connection as a program makes it that knows no proxy."""
        return self.tcp(self.address(name), port)

    def say(self, address: str, port: int, data: bytes, half: bool = False) -> str:
        """What comes back, or `refused`, `unreachable`, `silent`."""
        try:
            with self.tcp(address, port) as sock:
                return answer(sock, data, half)
        except _REFUSED:
            return "refused"
        except TimeoutError:
            return "silent"
        except OSError:
            return "unreachable"

    def say_to(self, name: str, port: int, data: bytes) -> str:
        """As `say`, to a name: `no-name` where it has no address."""
        reply = self.lookup(name)
        if reply is None or not reply.addresses:
            return "no-name"
        return self.say(reply.addresses[0], port, data)

    def proxy(self, data: bytes | str) -> str:
        """What the HTTP proxy answers."""
        data = data.encode("latin-1") if isinstance(data, str) else data
        return self.say(PLACE.gateway, PROXY_PORT, data)

    def connect(self, target: str) -> str:
        """What it answers to CONNECT."""
        return self.proxy(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n")

    def tunnel(self, target: str) -> socket.socket:
        """A tunnel by CONNECT that was granted."""
        sock = self.tcp(PLACE.gateway, PROXY_PORT)
        sock.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        assert b" 200 " in one_by_one(sock, b"\r\n\r\n")
        return sock

    def socks(self, host: bytes, port: int, data: bytes = b"", kind: int = 3) -> str:
        """The reply code of SOCKS 5, or what comes back to `data` when it is 0."""
        try:
            with self.tcp(PLACE.gateway, SOCKS_PORT) as sock:
                length = bytes([len(host)]) if kind == 3 else b""
                sock.sendall(
                    b"\5\1\0\5\1\0" + bytes([kind]) + length + host + port.to_bytes(2, "big")
                )
                assert sock.recv(2) == b"\5\0"
                reply = sock.recv(10)
                if len(reply) < 2 or reply[1] or not data:
                    return f"code {reply[1]}" if len(reply) > 1 else "closed"
                return answer(sock, data)
        except _REFUSED:
            return "refused"

    def ask(self, name: str, port: int, wait: int = 0, why: bytes = b"tests") -> str:
        """The line that the door for questions answers."""
        target = f"/ask?name={name}&port={port}&wait={wait}"
        data = f"POST {target} HTTP/1.1\r\nHost: gateway\r\nContent-Length: {len(why)}\r\n\r\n"
        with self.tcp(PLACE.gateway, ASK_PORT) as sock:
            sock.settimeout(wait + PATIENCE)
            sock.sendall(data.encode() + why)
            return _all(sock).partition(b"\r\n\r\n")[2].decode().strip()


def answer(sock: socket.socket, data: bytes, half: bool = False) -> str:
    """All that comes back to `data`, or the first of it where the connection stays open."""
    if data:
        sock.sendall(data)
    if half:
        sock.shutdown(socket.SHUT_WR)
    received = sock.recv(1 << 16)
    if not received:
        return "closed"
    with contextlib.suppress(OSError):
        while True:
            sock.settimeout(_QUIET_SECONDS if _is_whole(received, data) else PATIENCE)
            more = sock.recv(1 << 16)
            if not more:
                break
            received += more
    return received.decode("latin-1")


def _is_whole(received: bytes, request: bytes) -> bool:
    """Whether it is an HTTP response that has come to its end, or something else."""
    if not received.startswith(b"HTTP/"):
        return True
    head, separator, body = received.partition(b"\r\n\r\n")
    fields = head.lower()
    if b"\r\ncontent-length: " in fields:
        length = int(fields.partition(b"\r\ncontent-length: ")[2].split(b"\r\n")[0])
        return bool(separator) and len(body) >= length
    if b"\r\ntransfer-encoding: chunked" in fields:
        return body.endswith(b"0\r\n\r\n")
    # Without a length it goes on to the end of the connection, but for a tunnel.
    return bool(separator) and request.startswith(b"CONNECT ")


def tls(sock: socket.socket, server_name: str | None) -> str:
    """What the server says first by TLS, or `refused`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with context.wrap_socket(sock, server_hostname=server_name) as wrapped:
            return wrapped.recv(200).decode().strip()
    except (*_REFUSED, ssl.SSLError):
        return "refused"


def receive(sock: socket.socket, end: bytes) -> bytes:
    """All until `end` has come."""
    data = b""
    while end not in data:
        more = sock.recv(4096)
        assert more, data
        data += more
    return data


def one_by_one(sock: socket.socket, end: bytes) -> bytes:
    """All to `end`, and nothing of what follows it."""
    data = b""
    while not data.endswith(end):
        more = sock.recv(1)
        assert more, data
        data += more
    return data


def _all(sock: socket.socket) -> bytes:
    data = b""
    while more := sock.recv(1 << 16):
        data += more
    return data


def goes_on(sock: socket.socket) -> bool:
    """Whether an echo still comes back."""
    try:
        sock.sendall(b"x")
        return sock.recv(10) == b"x"
    except ConnectionError:
        return False


def closes(sock: socket.socket) -> bool:
    """Whether the connection is ended from the other side, while one waits."""
    sock.settimeout(PATIENCE)
    try:
        return sock.recv(10) == b""
    except ConnectionError:
        return True
