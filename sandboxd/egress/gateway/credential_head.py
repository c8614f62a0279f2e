"""Heads of requests that get a credential, and of the answers to them. Pure."""

from __future__ import annotations

import re

import h11

from sandboxd.egress import layout
from sandboxd.egress.broker import Binding, is_stripped, traces
from sandboxd.egress.gateway import http_head
from sandboxd.egress.gateway.http_exchange import Answer

_HTTPS = 443
# A session would be a credential inside; the others speak of TLS, which the client does not see.
_DROPPED = frozenset([b"set-cookie", b"set-cookie2", b"alt-svc", b"strict-transport-security"])
LFS_KIND = b"application/vnd.git-lfs+json"
_PLACES = frozenset([b"location", b"content-location", b"link"])


def is_for_gateway(request: h11.Request, address: str, port: int) -> bool:
    """Whether the Host field names the gateway: a foreign page or name that resolves to it must not get the secret."""
    try:
        host = http_head.host_field(request, 80)
    except http_head.BadHead:
        return False
    return host is not None and any(
        http_head.same(host, (own, port)) for own in (address, layout.GATEWAY_NAME)
    )


def outgoing(request: h11.Request, binding: Binding, target: str) -> h11.Request:
    """The request as the service gets it: with the secret, and without the client's own value of that header."""
    forwarded = http_head.forwarded(request, binding.host, binding.host_port, target, _HTTPS)
    fields = [
        (name, value)
        for name, value in forwarded.headers
        if not is_stripped(binding, name.decode("latin-1"))
    ]
    if any(name == b"accept" and LFS_KIND in value.lower() for name, value in fields):
        # Its answer is read and changed here: see `lfs_answer`.
        fields = [(name, value) for name, value in fields if name != b"accept-encoding"]
        fields.append((b"accept-encoding", b"identity"))
    fields += [(name.encode(), value.encode()) for name, value in binding.extra]
    fields.append((binding.header.encode(), binding.value.encode()))
    return h11.Request(method=request.method, target=target, headers=fields)


def incoming(response: Answer, binding: Binding, host: str) -> Answer:
    """The answer as the client gets it: without sessions and echoes of the secret.

    :param host: as the client named the gateway
    """
    marks = traces(binding)
    fields = [
        (name, moved(value, binding, host) if name in _PLACES else value)
        for name, value in response.headers
        if name not in _DROPPED and not any(mark in name + b"\n" + value for mark in marks)
    ]
    reason = b"" if any(mark in response.reason for mark in marks) else response.reason
    return type(response)(status_code=response.status_code, headers=fields, reason=reason)


def moved(value: bytes, binding: Binding, host: str) -> bytes:
    """`value` with URLs of the service's host replaced by URLs of the gateway, where the credential is added."""
    port = b"(?::443)?" if binding.host_port == _HTTPS else b":%d" % binding.host_port
    own = rb"(?<![^\s<,])https://" + re.escape(binding.host.encode()) + port + rb"(?=[/?#>]|$)"
    return re.sub(own, lambda _: f"http://{host}".encode("latin-1"), value, flags=re.IGNORECASE)
