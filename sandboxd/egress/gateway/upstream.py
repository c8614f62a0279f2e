"""Requests to a company's HTTP proxy, and the meaning of its answers (RFC 9110, sections 9.3.6, 11.7)."""

from __future__ import annotations

import asyncio
import base64
import socket

import h11

from sandboxd.egress.gateway.http_exchange import Answer
from sandboxd.egress.policy import Upstream

WANTS_CREDENTIALS = 407

_LONGEST_REPLY = 1 << 14
_REFUSALS = {
    403: "refuses this name or port (403)",
    502: "cannot reach it (502)",
    503: "cannot reach it (503)",
    504: "has no answer from there in time (504)",
}


class Refusal(OSError):
    """The proxy makes no connection; the message says why, for a person."""


async def connect(sock: socket.socket, upstream: Upstream, name: str, port: int) -> None:
    """Have the proxy at the other end of `sock` make a tunnel to `port` of `name`.

    :raises Refusal: it does not
    """
    loop = asyncio.get_running_loop()
    lines = [f"CONNECT {name}:{port} HTTP/1.1", f"Host: {name}:{port}"]
    if upstream.credentials:
        lines.append(f"Proxy-Authorization: {_basic(upstream)}")
    await loop.sock_sendall(sock, "\r\n".join([*lines, "", ""]).encode())
    head = b""
    # One byte at a time at its end: what follows it belongs to the tunnel.
    while not head.endswith(b"\r\n\r\n"):
        more = await loop.sock_recv(sock, 1)
        head += more
        if not more or len(head) > _LONGEST_REPLY:
            raise Refusal("gives no answer of HTTP")
    words = head.split(b"\r\n", 1)[0].split(b" ", 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1][:3].isdigit():
        raise Refusal("gives no answer of HTTP")
    if words[1][:1] != b"2":
        raise Refusal(refusal(int(words[1][:3]), upstream))


def whole_url(request: h11.Request, name: str, port: int, upstream: Upstream) -> h11.Request:
    """`request` in the form for a proxy: with the whole URL, and the proxy's credentials."""
    place = name if port == 80 else f"{name}:{port}"
    headers = request.headers.raw_items()
    if upstream.credentials:
        headers.append((b"Proxy-Authorization", _basic(upstream).encode()))
    # `OPTIONS *` has no path within a URL: RFC 9112, section 3.2.4.
    path = b"" if request.target == b"*" else request.target
    return h11.Request(
        method=request.method, target=f"http://{place}".encode() + path, headers=headers
    )


def pass_on(answer: Answer, upstream: Upstream | None) -> Answer:
    """`answer`, if it may be sent to the client.

    :param upstream: the proxy that it came from
    :raises Refusal: the proxy asks for credentials: the client has none, and must not be asked
    """
    if upstream is not None and answer.status_code == WANTS_CREDENTIALS:
        raise Refusal(refusal(answer.status_code, upstream))
    return answer


def refusal(status: int, upstream: Upstream) -> str:
    """The meaning of the proxy's answer that is no success, in words that follow "the proxy"."""
    if status == WANTS_CREDENTIALS:
        if upstream.credentials:
            return "refuses the credentials of `proxy-credentials` (407)"
        return (
            "asks for credentials (407): outside, write `user:password` into the file "
            "`proxy-credentials` of your config folder"
        )
    return _REFUSALS.get(status, f"answers {status}")


def _basic(upstream: Upstream) -> str:
    return "Basic " + base64.b64encode(upstream.credentials.encode()).decode()
