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
    """One host of a service, and the requests that the gateway passes on to it with the secret."""

    name: str
    host: str
    port: int
    header: str
    scheme: str
    """The form of the header field: ``bearer``, ``basic`` (with `user`) or ``plain`` (the secret alone)."""
    user: str
    methods: tuple[str, ...]
    """The allowed methods; () for all."""
    paths: tuple[str, ...]
    """The allowed paths, each with all below it."""
    strip: tuple[str, ...] = ()
    """Further names under which clients send a secret of their own: such header fields are removed, and requests with
    such a query parameter are refused."""

    def value(self, secret: Secret) -> str:
        """The value of the header field for `secret`."""
        text = secret.reveal()
        if self.scheme == "bearer":
            return f"Bearer {text}"
        if self.scheme == "basic":
            pair = base64.b64encode(f"{self.user}:{text}".encode()).decode()
            return f"Basic {pair}"
        return text


class Variable(NamedTuple):
    """An environment variable inside.

    The value, like the text of a `File`, may contain the placeholders `{ENDPOINT}`, `{ENDPOINT:address}`, `{gateway}`
    and `{decoy}`.
    """

    name: str
    value: str


class File(NamedTuple):
    """A read-only file inside, for a tool that no variable can configure."""

    path: str
    text: str


class Rewrite(NamedTuple):
    """A setting of Git (`url.*.insteadOf`): URLs that begin with one of `prefixes` go to the endpoint named
    `endpoint`.
    """

    endpoint: str
    prefixes: tuple[str, ...]


class Trial(NamedTuple):
    """A request that changes nothing and needs the secret, to test it; `account` is the field of the answer with the
    owner.
    """

    endpoint: str
    path: str
    account: str
    headers: tuple[tuple[str, str], ...] = ()


class Service(NamedTuple):
    """A service whose credential programs inside can use."""

    name: str
    title: str
    """Its name as people write it."""
    secret: str
    """What the service calls its secret, such as an access token."""
    admits: str
    """What programs inside can do with it, for a person."""
    groups: tuple[str, ...]
    """Groups of hosts that its tools also reach."""
    limits: str
    """Tools or uses that it does not work for, for a person; '' for none."""
    source: str
    endpoints: tuple[Endpoint, ...]
    variables: tuple[Variable, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    trial: Trial | None = None
    """None where no request is known that changes nothing."""
    files: tuple[File, ...] = ()
    uses_agent: bool = False
    """Whether the user's SSH agent signs for it, so that no secret is sent anywhere."""

    def endpoint(self, name: str) -> Endpoint:
        """The endpoint called `name`, which must exist."""
        return next(each for each in self.endpoints if each.name == name)


def load(name: str) -> Service:
    """The service `name`: one that ships, or one that the user describes.

    :raises KeyError: there is none
    :raises UsageError: the user's file is not valid
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
