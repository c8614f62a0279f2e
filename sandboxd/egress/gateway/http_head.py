"""Parses heads of HTTP/1 requests: what two parsers could read in two ways is refused, not repaired."""

from __future__ import annotations

import re
from typing import NamedTuple

import h11

from sandboxd.egress.names import NotAName, normal

LONGEST = 1 << 15
"""Bytes of a request's head."""

_END = b"\r\n\r\n"
_STRAY = re.compile(rb"(?<!\r)\n|\r(?!\n)[\s\S]|\0")
_FOLD = re.compile(rb"\r\n[ \t]")
_AUTHORITY = re.compile(r"(?P<host>[^:@\[\]/?#\\%\s]*|\[[^\]]*\])(?::(?P<port>\d{1,5}))?")
# Fields of this connection alone (RFC 9110, section 7.6.1), or of the proxy that it goes through.
_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "proxy-authenticate",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "http2-settings",
        "expect",
    ]
)


class BadHead(ValueError):
    """The head is refused; `status` is the HTTP status to answer with."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Target(NamedTuple):
    """The host, port and path in the target of a request."""

    host: str
    """As it is written; not yet known to be a name."""
    port: int
    path: str
    """For the origin; '' for CONNECT."""


def split(buffer: bytes) -> tuple[bytes, bytes] | None:
    """The head at the start of `buffer` and what follows; None as long as some of it is missing.

    :raises BadHead: a line ends otherwise than by CR and LF, is folded, or there are too many
    """
    end = buffer.find(_END, 0, LONGEST)
    head = buffer[: end + 4] if end >= 0 else buffer[:LONGEST]
    if _STRAY.search(head):
        raise BadHead("a line does not end with CR and LF")
    if _FOLD.search(head):
        raise BadHead("a line is folded")
    if head.startswith(b"\r\n"):
        raise BadHead("an empty line before the request")
    if end >= 0:
        return head, buffer[end + 4 :]
    if len(buffer) >= LONGEST:
        raise BadHead(f"longer than {LONGEST} bytes", 431)
    return None


def parse(head: bytes) -> tuple[h11.Connection, h11.Request]:
    """The request of a head that `split` returned, and the connection that waits for its body.

    :raises BadHead: it is no request of HTTP/1, or says two things about its length
    """
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST)
    connection.receive_data(head)
    try:
        event = connection.next_event()
    except h11.RemoteProtocolError as error:
        raise BadHead(str(error), error.error_status_hint) from None
    if not isinstance(event, h11.Request):
        raise BadHead("not a request")
    names = [name for name, _ in event.headers]
    if names.count(b"transfer-encoding") and (
        names.count(b"content-length") or event.http_version == b"1.0"
    ):
        raise BadHead("its length is said in two ways")
    if event.http_version not in (b"1.0", b"1.1"):
        raise BadHead("only HTTP/1 is spoken here", 505)
    return connection, event


def target(request: h11.Request) -> Target | None:
    """The target of the request line; None for a path alone, whose host the Host field names.

    :raises BadHead: it is another kind of URL, or none
    """
    text = request.target.decode("ascii")
    if request.method == b"CONNECT":
        host, port = _authority(text, 0)
        if not port:
            raise BadHead("CONNECT without a port")
        return Target(host, port, "")
    if text.startswith("/") or (text == "*" and request.method == b"OPTIONS"):
        return None
    if "#" in text or "\\" in text:
        raise BadHead("not a URL of a request")
    scheme, mark, rest = text.partition("://")
    if not mark or scheme.lower() != "http":
        raise BadHead("only `http://` is carried like this: use CONNECT for the rest", 501)
    size = min((rest.find(end) for end in "/?" if end in rest), default=len(rest))
    host, port = _authority(rest[:size], 80)
    path = rest[size:]
    return Target(host, port, path if path.startswith("/") else f"/{path}")


def host_field(request: h11.Request, port: int) -> tuple[str, int] | None:
    """Host and port in the Host field; None where there is no such field.

    :param port: the port where the field has none
    :raises BadHead: it is no host
    """
    for name, value in request.headers:
        if name == b"host":
            return _authority(value.decode("latin-1"), port)
    return None


def same(one: tuple[str, int], other: tuple[str, int]) -> bool:
    """Whether two hosts with ports are the same, whatever their letter case."""
    return (_comparable(one[0]), one[1]) == (_comparable(other[0]), other[1])


def _comparable(host: str) -> str:
    try:
        return normal(host)
    except NotAName:
        return host.lower()


def forwarded(
    request: h11.Request, name: str, port: int, path: str, default_port: int = 80
) -> h11.Request:
    """The request as the origin gets it: one on its connection, and nothing that was for us.

    :param default_port: the one that the Host field leaves out
    """
    hop = _HOP | {
        word.strip().lower()
        for field, value in request.headers
        if field == b"connection"
        for word in value.decode("latin-1").split(",")
    }
    hop -= {"content-length", "host"}
    last = [(b"Connection", b"close")]
    if is_websocket(request):
        last = [(b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")]
    fields = [
        (field, value)
        for field, value in request.headers
        if field != b"host" and field.decode("latin-1") not in hop
    ]
    if any(field == b"transfer-encoding" for field, _ in request.headers):
        fields.append((b"Transfer-Encoding", b"chunked"))
    host = name if port == default_port else f"{name}:{port}"
    return h11.Request(
        method=request.method,
        target=path,
        headers=[(b"Host", host.encode("ascii")), *fields, *last],
    )


def is_websocket(request: h11.Request) -> bool:
    """Whether a request asks to switch to WebSocket. No other switch is allowed: h2c would hide requests."""
    values = [value.lower() for field, value in request.headers if field == b"upgrade"]
    return request.method == b"GET" and values == [b"websocket"]


def returned(response: h11.Response | h11.InformationalResponse) -> list[tuple[bytes, bytes]]:
    """The header fields of a response that are sent to the client."""
    hop = {name.encode() for name in _HOP} | {
        word.strip().lower()
        for field, value in response.headers
        if field == b"connection"
        for word in value.split(b",")
    }
    hop -= {b"content-length"}
    fields = [(field, value) for field, value in response.headers if field not in hop]
    if any(field == b"transfer-encoding" for field, _ in response.headers):
        fields = [(field, value) for field, value in fields if field != b"content-length"]
        fields.append((b"Transfer-Encoding", b"chunked"))
    return fields


def _authority(text: str, default: int) -> tuple[str, int]:
    match = _AUTHORITY.fullmatch(text)
    if match is None or not match["host"] or (match["port"] and int(match["port"]) > 65535):
        raise BadHead(f"`{_printable(text)}` is no host and port")
    return match["host"], int(match["port"]) if match["port"] else default


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:100])
