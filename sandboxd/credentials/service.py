"""A service, read from its TOML file (`services`): which host takes the secret, and how tools inside reach it."""

from __future__ import annotations

import base64
import functools
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.credentials import own_services, services
from sandboxd.egress.broker_wire import SERVICE
from sandboxd.egress.names import NotAName, normal

if TYPE_CHECKING:
    from sandboxd.credentials.secret import Secret

_SCHEMES = ("bearer", "basic", "plain")
_KEYS = frozenset({"title", "secret", "admits", "groups", "limits", "source", "endpoint"})
_OPTIONAL = frozenset({"environment", "files", "git", "trial", "agent"})
_ENDPOINT_KEYS = frozenset({"name", "host", "header", "scheme", "methods", "paths"})
_OWN_DEFAULTS = {
    "secret": "a secret of your own service",
    "admits": "whoever runs inside may do there what these methods and paths allow",
    "groups": [],
    "limits": "nothing is known of its tools: you described it",
    "source": "your own description",
}
_NEVER_OWN = frozenset({"files", "git", "agent"})
"""Keys that only services that ship have."""
_WORD = re.compile(r"[a-z][a-z0-9]*")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


class Endpoint(NamedTuple):
    """One host of a service, and what the gateway lets through to it with the secret."""

    name: str
    host: str
    port: int
    header: str
    scheme: str
    """``bearer``, ``basic`` (with `user`) or ``plain``: how the secret stands in the header."""
    user: str
    methods: tuple[str, ...]
    """Empty: every method."""
    paths: tuple[str, ...]
    """Each with all below it; no other gets the secret."""
    strip: tuple[str, ...] = ()
    """Further places where a client puts a secret of its own: header fields never pass, and requests with
    query parameters of such a name are refused."""

    def value(self, secret: Secret) -> str:
        """The value of the header that carries `secret`."""
        text = secret.reveal()
        if self.scheme == "bearer":
            return f"Bearer {text}"
        if self.scheme == "basic":
            pair = base64.b64encode(f"{self.user}:{text}".encode()).decode()
            return f"Basic {pair}"
        return text


class Variable(NamedTuple):
    """A variable inside; its value, as the text of a `File`, may hold `{ENDPOINT}`, `{ENDPOINT:address}`, `{gateway}`, `{decoy}`."""

    name: str
    value: str


class File(NamedTuple):
    """A file inside, read-only, for what a tool takes from no variable."""

    path: str
    text: str


class Rewrite(NamedTuple):
    """A setting that makes Git use `endpoint` for addresses that begin with one of `prefixes`."""

    endpoint: str
    prefixes: tuple[str, ...]


class Trial(NamedTuple):
    """A request that changes nothing and needs the secret; `account` is the field of the answer that names the account."""

    endpoint: str
    path: str
    account: str
    headers: tuple[tuple[str, str], ...] = ()


class Service(NamedTuple):
    """A service whose credential tools inside can use."""

    name: str
    title: str
    """Its name for people."""
    secret: str
    """The service's own word for its secret, e.g. an access token."""
    admits: str
    """The rights of a program inside that uses it, in words."""
    groups: tuple[str, ...]
    """Groups of hosts that its tools reach beside it."""
    limits: str
    """Tools or uses that are not served, in words."""
    source: str
    endpoints: tuple[Endpoint, ...]
    variables: tuple[Variable, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    trial: Trial | None = None
    """None where it has no request that changes nothing."""
    files: tuple[File, ...] = ()
    uses_agent: bool = False
    """Whether the user's SSH agent signs, so that no secret is sent anywhere."""

    def endpoint(self, name: str) -> Endpoint:
        """The endpoint called `name`, which must exist."""
        return next(each for each in self.endpoints if each.name == name)


def load(name: str) -> Service:
    """The service `name`: one that ships, else one that the user describes.

    :raises KeyError: there is none
    :raises UsageError: the user's file does not describe one
    """
    if name in services.names():
        return _load(name)
    data = own_services.content(name)
    try:
        return _read_own(name, data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why = f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else str(error)
        raise own_services.refusal(name, why) from None


@functools.cache
def _load(name: str) -> Service:
    import tomllib

    with open(services.path(name), "rb") as file:
        return read(name, tomllib.load(file))


def read(name: str, data: dict[str, Any]) -> Service:
    """The service that the parsed TOML file `data` describes.

    :raises ValueError: a key is missing or unknown, or has a value that is not valid
    """
    if data.keys() - _OPTIONAL != _KEYS:
        raise ValueError(f"service {name}: it must have {sorted(_KEYS)}")
    endpoints = tuple(_endpoint(name, entry) for entry in data["endpoint"])
    known = {endpoint.name for endpoint in endpoints}
    rewrites = tuple(
        Rewrite(entry["endpoint"], tuple(entry["instead_of"])) for entry in data.get("git", ())
    )
    trial = _trial(data["trial"]) if "trial" in data else None
    named = {rewrite.endpoint for rewrite in rewrites} | ({trial.endpoint} if trial else set())
    if len(known) < len(endpoints) or not named <= known:
        raise ValueError(f"service {name}: an endpoint is there twice, or is not there")
    files = tuple(File(*pair) for pair in data.get("files", {}).items())
    variables = tuple(Variable(*pair) for pair in data.get("environment", {}).items())
    return Service(
        name,
        data["title"],
        data["secret"],
        data["admits"],
        tuple(data["groups"]),
        data["limits"],
        data["source"],
        endpoints,
        variables,
        rewrites,
        trial,
        files,
        data.get("agent", False) is True,
    )


def _read_own(name: str, data: dict[str, Any]) -> Service:
    """:raises ValueError: a key is missing, unknown or of no meaning
    :raises KeyError: as that, of an endpoint
    """
    if odd := sorted(data.keys() & _NEVER_OWN):
        raise ValueError(f"`{odd[0]}` is not for services of your own")
    described = read(name, {**_OWN_DEFAULTS, **data})
    for endpoint in described.endpoints:
        if not SERVICE.fullmatch(f"{name}-{endpoint.name}"):
            raise ValueError(f"the name `{endpoint.name}` of an endpoint is too long")
        try:
            normal(endpoint.host)
        except NotAName:
            raise ValueError(f"`{endpoint.host}` is no host name") from None
        if not 0 < endpoint.port < 65536:
            raise ValueError(f"`{endpoint.port}` is no port")
    return described


def _trial(data: dict[str, Any]) -> Trial:
    headers = tuple(data.get("headers", {}).items())
    return Trial(data["endpoint"], data["path"], data["account"], headers)


def _endpoint(name: str, data: dict[str, Any]) -> Endpoint:
    if data.keys() - {"user", "port", "strip"} != _ENDPOINT_KEYS:
        raise ValueError(f"service {name}: an endpoint must have {sorted(_ENDPOINT_KEYS)}")
    scheme, user = data["scheme"], data.get("user", "")
    if scheme not in _SCHEMES or (scheme == "basic") != bool(user):
        raise ValueError(
            f"service {name}: the scheme `{scheme}` is none of {_SCHEMES}, with a user"
        )
    if not _WORD.fullmatch(data["name"]) or not _HEADER.fullmatch(data["header"]):
        raise ValueError(f"service {name}: `{data['name']}` or `{data['header']}` is no name")
    if not data["paths"] or not all(path.startswith("/") for path in data["paths"]):
        raise ValueError(f"service {name}: a path begins with a slash, and there is one")
    return Endpoint(
        data["name"],
        data["host"],
        data.get("port", 443),
        data["header"],
        scheme,
        user,
        tuple(data["methods"]),
        tuple(data["paths"]),
        tuple(data.get("strip", ())),
    )
