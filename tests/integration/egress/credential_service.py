"""A service that takes the true secret and nothing else, by TLS, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import os
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from typing import NamedTuple

from tests import certificates
from tests.patience import PATIENCE

SECRET = "marked-secret-7d1b90e5"
VALUE = f"Bearer {SECRET}"


class Certificate(NamedTuple):
    """`path` has certificate and key; `pem` is the certificate, which is its own root."""

    path: str
    pem: str


def certificate(folder: Path, host: str) -> Certificate:
    """One for `host`.

    :raises FileNotFoundError: there is no openssl
    """
    key, crt, both = (folder / f"{host}.{kind}" for kind in ("key", "crt", "pem"))
    certificates.self_signed(folder, host, host, key=key.name, certificate=crt.name)
    both.write_text(key.read_text() + crt.read_text())
    return Certificate(str(both), crt.read_text())


class Seen(NamedTuple):
    """A request that arrived."""

    method: str
    path: str
    headers: dict[str, str]
    """By lower-case name."""


class CredentialService:
    """Serves on a listening socket, each connection in a thread."""

    def __init__(
        self, listener: socket.socket, served: Certificate, repositories: Path | None = None
    ) -> None:
        """:param repositories: a folder of bare repositories, served below `/v1/git/`"""
        self.repositories = repositories
        self.requests: list[Seen] = []
        self.handshakes = 0
        """Connections by TLS that came about."""
        self.go_on = threading.Event()
        """What `/sse` and `/upload-in-steps` wait for between two pieces."""
        self.arrived = threading.Event()
        """The first piece of a body has arrived."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(served.path)
        service = self

        class Handler(_Handler):
            of = service

        self._server = http.server.ThreadingHTTPServer(("", 0), Handler, bind_and_activate=False)
        self._server.daemon_threads = True
        # Clients go away, as they should.
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self._server.socket.close()
        self._server.socket = context.wrap_socket(
            listener, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    of: CredentialService
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def setup(self) -> None:
        super().setup()
        sock = self.connection
        assert isinstance(sock, ssl.SSLSocket)
        sock.settimeout(PATIENCE)
        sock.do_handshake()
        self.of.handshakes += 1

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = self.path.partition("?")[0]
        self.of.requests.append(Seen(self.command, self.path, headers))
        if headers.get("authorization") != VALUE:
            self._say(401, b"who are you?", ("WWW-Authenticate", 'Basic realm="service"'))
        elif path == "/v1/early":
            # Before the body was read, and no more of it will be.
            self._say(401, b"revoked", ("Connection", "close"))
            self.close_connection = True
        elif path == "/v1/sse":
            self._stream()
        elif path == "/v1/broken":
            # It ends the stream in the middle: the secret was revoked while it ran.
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self._chunk(b"data: 0\n\n")
            self.close_connection = True
        elif path.startswith("/v1/git/") and self.of.repositories is not None:
            self._git(self.of.repositories)
        elif path == "/v1/upload":
            self._say(200, hashlib.sha256(self._body()).hexdigest().encode())
        elif path == "/v1/download":
            self._say(200, bytes(1 << 16) * int(self.path.partition("?")[2]))
        elif path == "/v1/echo":
            value = headers.get("authorization", "")
            echoes = ("X-Echo", value), ("X-Part", f"token={SECRET}"), ("Set-Cookie", "session=1")
            self._say(200, b"ok", *echoes, ("X-Other", "stays"))
        elif path == "/v1/redirect":
            self._say(302, b"", ("Location", self.path.partition("?")[2]))
        elif path == "/v1/link":
            link = '<https://api.example/v1/x?page=2>; rel="next", <https://b.example/y>; rel="z"'
            self._say(200, b"", ("Link", link))
        elif path == "/v1/socket" and headers.get("upgrade") == "websocket":
            self._switch()
        else:
            self._body()
            self._say(200, f"{self.command} {self.path}".encode())

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = _serve

    def _say(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _stream(self) -> None:
        """Each event goes out only when the one before was seen at the other end."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(3):
            self._chunk(b"data: %d\n\n" % number)
            if not self.of.go_on.wait(PATIENCE):
                return
            self.of.go_on.clear()
        self._chunk(b"")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
            self.of.arrived.set()
        self.rfile.readline()
        return body

    def _git(self, repositories: Path) -> None:
        """By git's own program for servers, which speaks CGI."""
        path, _, query = self.path.removeprefix("/v1/git").partition("?")
        environ = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(repositories),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "dev",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        body = self._body()
        done = subprocess.run(
            ["git", "http-backend"], input=body, env={**environ, "CONTENT_LENGTH": str(len(body))},
            capture_output=True, check=True,
        )  # fmt: skip
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        status = next((value for name, value in fields if name == "Status"), "200")
        headers = [(name, value) for name, value in fields if name != "Status"]
        self._say(int(status.split()[0]), content, *headers)

    def _switch(self) -> None:
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.end_headers()
        self.wfile.write(b"hello")
        with contextlib.suppress(OSError):
            while data := self.connection.recv(4096):
                self.wfile.write(data)
        self.close_connection = True
