"""HTTP to the container engine: one request on one connection, or a connection taken over.

The Docker SDK is not used: importing it costs 0.2 s, as much as the whole of `docker run -d`,
and `up` may cost 15 % more than that.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from typing import TYPE_CHECKING, Any

from sandboxd.engine.http1 import Answer, WireError, send

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from sandboxd.engine.contexts import TlsFiles

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


def is_tls_error(error: Exception) -> bool:
    """Whether it is one of TLS; that is loaded only where an engine is spoken to by it."""
    tls = sys.modules.get("ssl")
    return tls is not None and isinstance(error, tls.SSLError)


class Transport:
    """The way to one engine, named by a `DOCKER_HOST` value.

    :raises AddressError: the value's scheme is not one we can speak
    """

    def __init__(self, host: str, tls: TlsFiles | None = None) -> None:
        self.host = host
        self._tls = tls
        self._scheme, self._address, self._port = _parts(host)
        if self._scheme not in ("unix", "tcp", "http", "https"):
            raise AddressError(host)

    @property
    def is_local(self) -> bool:
        """True when the engine runs on this machine, so that its bind mounts are our files."""
        return self._scheme == "unix"

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
        :raises OSError, WireError: there is no engine, or not a healthy one
        """
        with self._ask(method, _target(path, query), body, timeout) as answer:
            data = answer.read()
            if answer.status >= 400:
                raise ApiError(answer.status, _message(data))
            if "json" in answer.headers.get("content-type", "") and data:
                return _decoded(data)
            return data

    def head(self, path: str, query: Mapping[str, str] | None = None) -> Mapping[str, str] | None:
        """The headers that a GET would have, names in lower case; None where there is nothing (404).

        :raises ApiError: the engine refuses
        """
        with self._ask("HEAD", _target(path, query), None, ANSWER_SECONDS) as answer:
            if answer.status == 404:
                return None
            if answer.status >= 400:
                raise ApiError(answer.status, f"HEAD {path}: {answer.reason}")
            return answer.headers

    def stream(
        self, path: str, query: Mapping[str, str] | None = None, timeout: float | None = None
    ) -> Answer:
        """An answer that is read while it grows; the caller closes it.

        :param timeout: seconds that each piece may take; without one, as long as it takes
        """
        answer = self._ask("GET", _target(path, query), None, ANSWER_SECONDS)
        if answer.status >= 400:
            with answer:
                raise ApiError(answer.status, _message(answer.read()))
        answer.settimeout(timeout)
        return answer

    def hijack(self, path: str, body: object) -> tuple[socket.socket, bytes]:
        """POST, then the bare connection, and what arrived on it together with the answer."""
        taken = self._connected(ANSWER_SECONDS)
        try:
            data = json.dumps(body).encode()
            head = (
                f"POST {_target(path, None)} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: {len(data)}\r\n\r\n"
            )
            taken.sendall(head.encode() + data)
            status, rest = _read_head(taken)
            if status >= 400:
                raise ApiError(status, _message(_read_rest(taken, rest)))
        except BaseException:
            taken.close()
            raise
        taken.settimeout(None)
        return taken, rest

    def _ask(self, method: str, target: str, body: object, timeout: float | None) -> Answer:
        headers = {"Host": "localhost", "Connection": "close"}
        if not self.is_local:
            headers["Host"] = self._address
        data = b""
        if body is not None:
            is_archive = isinstance(body, bytes)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers["Content-Type"] = "application/x-tar" if is_archive else "application/json"
        if data or method == "POST":
            headers["Content-Length"] = str(len(data))
        connection = self._connected(timeout)
        try:
            return send(connection, method, target, headers, data)
        except BaseException:
            connection.close()
            raise

    def _connected(self, timeout: float | None) -> socket.socket:
        if self.is_local:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.settimeout(timeout)
                connection.connect(self._address)
            except BaseException:
                connection.close()
                raise
            return connection
        host, port = self._address, self._port
        if self._tls is None and self._scheme != "https":
            return socket.create_connection((host, port or 2375), timeout)
        context = _context(self._tls)
        connection = socket.create_connection((host, port or 2376), timeout)
        with contextlib.ExitStack() as undo:
            undo.callback(connection.close)
            wrapped = context.wrap_socket(connection, server_hostname=host)
            undo.pop_all()
        return wrapped


def _context(tls: TlsFiles | None) -> ssl.SSLContext:
    import ssl

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
        raise WireError("not JSON") from None


def _parts(host: str) -> tuple[str, str, int | None]:
    """Scheme, path or host, and port of an address.

    :raises AddressError: the port is none
    """
    scheme, _, rest = host.partition("://")
    if scheme == "unix":
        return scheme, rest, None
    name = rest.partition("/")[0].rpartition("@")[2]
    if name.startswith("["):
        name, _, port = name[1:].partition("]")
        port = port.removeprefix(":")
    else:
        name, _, port = name.partition(":")
    if port and not port.isdecimal():
        raise AddressError(host)
    return scheme.lower(), name or "localhost", int(port) if port else None


_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~")


def _quoted(text: str, also: bytes = b"") -> str:
    """`text` with everything but letters, digits, ``_.-~`` and `also` in percent signs."""
    data = text.encode("utf-8", "surrogateescape")
    return "".join(chr(b) if b in _PLAIN or b in also else f"%{b:02X}" for b in data)


def _target(path: str, query: Mapping[str, str] | None) -> str:
    pairs = (f"{_quoted(name)}={_quoted(value)}" for name, value in (query or {}).items())
    return _quoted(path, b"/") + (f"?{'&'.join(pairs)}" if query else "")


def _read_head(taken: socket.socket) -> tuple[int, bytes]:
    """Status and surplus bytes, which a buffered reader would swallow."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = taken.recv(4096)
        if not part or len(data) > 65536:
            raise WireError("no complete answer")
        data += part
    head, _, rest = data.partition(b"\r\n\r\n")
    words = head.split(None, 2)
    if len(words) < 2 or not words[1].isdigit():
        raise WireError(head[:80].decode("latin-1"))
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
