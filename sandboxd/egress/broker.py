"""Decides which requests get a credential. Pure: the gateway and its host decide by the same code.

A tool inside speaks plain HTTP with `url(port)`. The gateway adds the secret and goes out by TLS, so the
secret stays outside of the sandbox. A binding is in force as long as the policy in force has its service and
port in `Policy.credentials`; without its binding such a port answers 503."""

from __future__ import annotations

import base64
import re
from typing import Literal, NamedTuple
from urllib.parse import quote

from sandboxd.egress import layout, spellings

ALWAYS_STRIPPED = frozenset(
    [
        "authorization",
        "proxy-authorization",
        "cookie",
        "api-key",
        "x-api-key",
        "x-api-token",
        "x-auth-token",
        "x-goog-api-key",
        "private-token",
        "job-token",
        # They would have a server take the request for another one than was judged here.
        "forwarded",
        "x-host",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-rewrite-url",
    ]
)
"""Header fields of a request that pass by no binding, as of `spellings.field`."""

STRIPPED_FAMILIES = ("x-forwarded-", "x-original-", "x-envoy-", "x-real-ip-")
"""Beginnings of more of them, which proxies write for the servers behind them; the `-` may be the name's end."""

NEVER_ALLOWED = frozenset(["CONNECT", "TRACE", "TRACK"])
"""Methods that no binding allows: a tunnel, and two whose answer shows the secret."""

Reason = Literal["method", "path", "ambiguous", "query"]

_TARGET = re.compile(r"/[\x21\x22\x24-\x5b\x5d-\x7e]*")

_SHORTEST_TRACE = 6
_WORDS = {
    "method": "has a method that the credential is not for",
    "path": "is for a path that the credential is not for",
    "ambiguous": "has a path that two servers could read in two ways",
    "query": "brings a secret of its own in its query",
    "host": "names another host than this gateway",
    "malformed": "breaks the rules of HTTP",
    "missing": "needs a credential that the gateway does not have now",
    "canary": "carries a secret that is a decoy",
    "denied": "is for a host that is denied, whatever allows it",
}


class Binding(NamedTuple):
    """One credential: the host that it goes to, and the requests that get it."""

    service: str
    """Letters, digits and dashes: ``github-api``."""
    port: int
    """The gateway's port for it on the inner network; none of `layout.OWN_PORTS`."""
    host: str
    host_port: int
    header: str
    """The header field that carries the secret: ``Authorization``."""
    value: str
    """The whole value of that field, the secret in it."""
    strip: tuple[str, ...] = ()
    """Header fields that never pass beside `ALWAYS_STRIPPED`; a query parameter of such a name is refused."""
    methods: tuple[str, ...] = ()
    """Empty for all but those of `NEVER_ALLOWED`."""
    paths: tuple[str, ...] = ("/",)
    """Allowed paths, percent-encoded as in a URL, each with all below it: `/a` allows `/a/b` and not `/ab`."""
    extra: tuple[tuple[str, str], ...] = ()
    """Header fields that take the place of the client's own."""

    def __repr__(self) -> str:
        return f"Binding({self.service!r}, {self.port}, {self.host!r}, {self.host_port})"


class Allowed(NamedTuple):
    target: str
    """As it is sent on."""


class Refused(NamedTuple):
    reason: Reason


def url(port: int) -> str:
    """The URL by which a tool inside reaches the binding of `port`; the same in each sandbox."""
    return f"http://{layout.GATEWAY_NAME}:{port}"


def decide(binding: Binding, method: str, target: str) -> Allowed | Refused:
    """Whether a request gets the credential.

    A path that two servers could read in two ways is refused: with dot segments, backslashes, control
    characters or twice-encoded parts. An encoded slash is allowed where both readings of it are.

    :param target: path and query, as they stand in the request line
    """
    if method.upper() in NEVER_ALLOWED or (binding.methods and method not in binding.methods):
        return Refused("method")
    path, _, query = target.partition("?")
    readings = spellings.segments(path)
    if not _TARGET.fullmatch(target) or not readings:
        return Refused("ambiguous")
    if not any(_is_below(readings, prefix) for prefix in binding.paths):
        return Refused("path")
    if spellings.parameters(query) & {spellings.parameter(name) for name in binding.strip}:
        return Refused("query")
    return Allowed(target)


def is_stripped(binding: Binding, name: str) -> bool:
    """Whether a request's header field `name` is removed."""
    own = (*binding.strip, binding.header, *(name for name, _ in binding.extra))
    field = spellings.field(name)
    return (
        field in ALWAYS_STRIPPED
        or f"{field}-".startswith(STRIPPED_FAMILIES)
        or field in {spellings.field(each) for each in own}
    )


def traces(binding: Binding) -> tuple[bytes, ...]:
    """The byte strings that reveal the secret: no header field of an answer that holds one is passed on."""
    parts = {binding.value, binding.value.rpartition(" ")[2]}
    scheme, _, encoded = binding.value.partition(" ")
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(encoded, validate=True).decode("utf-8")
        except ValueError:
            decoded = ""
        parts |= {decoded, decoded.partition(":")[2]}
    parts |= {quote(part, safe="") for part in parts}
    return tuple(sorted(part.encode() for part in parts if len(part) >= _SHORTEST_TRACE))


def explain(reason: str) -> str:
    """The reason why a request got no credential, as words that follow "this request"."""
    return _WORDS.get(reason, reason)


def _is_below(readings: tuple[list[str], list[str]], prefix: str) -> bool:
    wanted = spellings.segments(prefix.rstrip("/") or "/")
    if wanted is None:
        return False
    return all(
        mine == [""] or reading[: len(mine)] == mine
        for reading, mine in zip(readings, wanted, strict=True)
    )
