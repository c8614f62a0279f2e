"""HTTP to the container engine: one request on one connection, or a connection taken over.

The Docker SDK is not used: importing it costs 0.2 s, as much as the whole of `docker run -d`,
and `up` may cost 15 % more than that. What the engine's API needs is in the standard library.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.engine_api.address import TlsFiles

# A healthy engine answers a question in milliseconds; a person waits this long before wondering.
ANSWER_SECONDS = 10.0


class ApiError(Exception):
    """The engine answered with an error: its status and its own words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class AddressError(ValueError):
    """The engine's address is of a kind that cannot be spoken to from here."""


class CertificatesError(OSError):
    """A file of the client's or the engine's certificate is missing or is not what it should be."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float | None) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Transport:
    """The way to one engine, named by a `DOCKER_HOST` value.

    :raises AddressError: the value's scheme is not one we can speak
    """

    def __init__(self, host: str, tls: TlsFiles | None = None) -> None:
        self.host = host
        self._tls = tls
        self._url = urlsplit(host)
        if self._url.scheme not in ("unix", "tcp", "http", "https"):
            raise AddressError(host)

    @property
    def is_local(self) -> bool:
        """True when the engine runs on this machine, so that its bind mounts are our files."""
        return self._url.scheme == "unix"

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        timeout: float | None = ANSWER_SECONDS,
    ) -> Any:
        """The decoded answer: JSON where the engine says so, else bytes.

        :param body: bytes are sent as a tar archive, anything else as JSON
        :raises ApiError: the engine refuses
        :raises OSError, http.client.HTTPException: there is no engine, or not a healthy one
        """
        connection = self._connection(timeout)
        try:
            response = _send(connection, method, _target(path, query), body)
            data = response.read()
            if response.status >= 400:
                raise ApiError(response.status, _message(data))
            if "json" in (response.getheader("Content-Type") or "") and data:
                return _decoded(data)
            return data
        finally:
            connection.close()

    def head(
        self, path: str, query: Mapping[str, str] | None = None
    ) -> http.client.HTTPMessage | None:
        """The headers that a GET would have, None where there is nothing (404).

        :raises ApiError: the engine refuses
        """
        connection = self._connection(ANSWER_SECONDS)
        try:
            response = _send(connection, "HEAD", _target(path, query), None)
            response.read()
            if response.status == 404:
                return None
            if response.status >= 400:
                raise ApiError(response.status, f"HEAD {path}: {response.reason}")
            return response.headers
        finally:
            connection.close()

    def stream(self, path: str, query: Mapping[str, str] | None = None) -> http.client.HTTPResponse:
        """An answer that is read while it grows; the caller closes it."""
        connection = self._connection(ANSWER_SECONDS)
        try:
            response = _send(connection, "GET", _target(path, query), None)
            if response.status >= 400:
                raise ApiError(response.status, _message(response.read()))
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:
            connection.sock.settimeout(None)
        return response

    def hijack(self, path: str, body: object) -> tuple[socket.socket, bytes]:
        """POST, then the bare connection, and what arrived on it together with the answer."""
        connection = self._connection(ANSWER_SECONDS)
        try:
            connection.connect()
            taken = connection.sock
            data = json.dumps(body).encode()
            head = (
                f"POST {quote(path)} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: {len(data)}\r\n\r\n"
            )
            taken.sendall(head.encode() + data)
            status, rest = _read_head(taken)
            if status >= 400:
                raise ApiError(status, _message(_read_rest(taken, rest)))
        except BaseException:
            connection.close()
            raise
        taken.settimeout(None)
        return taken, rest

    def _connection(self, timeout: float | None) -> http.client.HTTPConnection:
        if self._url.scheme == "unix":
            return _UnixConnection(self._url.path, timeout)
        host, port = self._url.hostname or "localhost", self._url.port
        if self._tls is None and self._url.scheme != "https":
            return http.client.HTTPConnection(host, port or 2375, timeout=timeout)
        return http.client.HTTPSConnection(
            host, port or 2376, timeout=timeout, context=_context(self._tls)
        )


def _context(tls: TlsFiles | None) -> ssl.SSLContext:
    if tls is None:
        return ssl.create_default_context()
    try:
        if tls.verify:
            # Only this authority: the system's would let any web server play the engine.
            context = ssl.create_default_context(cafile=os.path.join(tls.folder, "ca.pem"))
        else:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        # Python 3.13 began to refuse certificates made as Docker's own pages describe it.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.load_cert_chain(
            os.path.join(tls.folder, "cert.pem"), os.path.join(tls.folder, "key.pem")
        )
    except OSError as error:
        raise CertificatesError(f"{tls.folder}: {error.strerror or error}") from None
    return context


def _decoded(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        raise http.client.HTTPException("not JSON") from None


def _target(path: str, query: Mapping[str, str] | None) -> str:
    return quote(path) + (f"?{urlencode(query)}" if query else "")


def _send(
    connection: http.client.HTTPConnection, method: str, target: str, body: object
) -> http.client.HTTPResponse:
    if body is None:
        connection.request(method, target)
    elif isinstance(body, bytes):
        connection.request(method, target, body, {"Content-Type": "application/x-tar"})
    else:
        data = json.dumps(body).encode()
        connection.request(method, target, data, {"Content-Type": "application/json"})
    return connection.getresponse()


def _read_head(taken: socket.socket) -> tuple[int, bytes]:
    """Status and surplus bytes; `http.client` would swallow the surplus into its own buffer."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = taken.recv(4096)
        if not part or len(data) > 65536:
            raise http.client.RemoteDisconnected("no complete answer")
        data += part
    head, _, rest = data.partition(b"\r\n\r\n")
    words = head.split(None, 2)
    if len(words) < 2 or not words[1].isdigit():
        raise http.client.BadStatusLine(head[:80].decode("latin-1"))
    return int(words[1]), rest


def _read_rest(taken: socket.socket, data: bytes) -> bytes:
    taken.settimeout(1.0)
    try:
        while len(data) < 65536 and not data.rstrip().endswith((b"}", b"0")):
            part = taken.recv(4096)
            if not part:
                break
            data += part
    except TimeoutError:
        pass
    return data


def _message(data: bytes) -> str:
    """The words of an error answer, also when it is chunked or no JSON at all."""
    text = data.decode("utf-8", "replace")
    start, end = text.find("{"), text.rfind("}")
    try:
        message = json.loads(text[start : end + 1])["message"]
    except (ValueError, KeyError, TypeError):
        message = text
    return " ".join(str(message).split())[:2000]
