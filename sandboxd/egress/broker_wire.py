"""Bindings as JSON and back, for the control channel of a gateway.

Reading is strict, as with a policy; no message of a refusal holds anything of what was read, since
that may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypedDict, TypeVar, cast

from sandboxd.egress import layout
from sandboxd.egress.broker import NEVER_ALLOWED, Binding
from sandboxd.egress.names import NotAName, normal

MOST_BINDINGS, MOST_ENTRIES, LONGEST_ROOTS = 64, 64, 4 << 20
"""Bindings of a gateway, entries of each list of one, and characters of all certificates."""

SERVICE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")

_T = TypeVar("_T")
_LONGEST_TEXT, _LONGEST_VALUE = 512, 8192
_KEYS = frozenset(Binding._fields)
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# Visible ASCII with single spaces within: what no library of HTTP would refuse and then quote.
_VALUE = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*")


class NotBindings(ValueError):
    """The value is no list of bindings; the message names the wrong field, and never its value."""


class Credentials(NamedTuple):
    """The credentials of a gateway, and the certificates that it verifies their hosts by."""

    bindings: tuple[Binding, ...] = ()
    roots: str = ""
    """PEM text: the certificates that servers are verified by."""

    def __repr__(self) -> str:
        return f"Credentials({self.bindings!r}, {len(self.roots)} characters of roots)"


class CredentialsDocument(TypedDict):
    """`Credentials` as JSON, secrets included."""

    bindings: list[dict[str, object]]
    """The fields of `broker.Binding`."""
    roots: str


def credentials_to_json(credentials: Credentials) -> CredentialsDocument:
    """JSON of `credentials`, which `credentials_from_json` reads."""
    bindings: list[dict[str, object]] = [
        {
            **binding._asdict(),
            "strip": list(binding.strip),
            "methods": list(binding.methods),
            "paths": list(binding.paths),
            "extra": [list(pair) for pair in binding.extra],
        }
        for binding in credentials.bindings
    ]
    return {"bindings": bindings, "roots": credentials.roots}


def credentials_from_json(bindings: object, roots: object) -> Credentials:
    """The bindings, and the certificates that their hosts are verified by.

    :raises NotBindings: a key is missing or unknown, a value is not of its type or out of bounds, or two
        bindings have one port or one name
    """
    read = _list(bindings, _binding, "bindings", MOST_BINDINGS)
    for key in ("port", "service"):
        if len({getattr(binding, key) for binding in read}) < len(read):
            raise NotBindings(f"two bindings have one `{key}`")
    if not isinstance(roots, str) or len(roots) > LONGEST_ROOTS or not roots.isascii():
        raise NotBindings("`roots` is no text of certificates")
    return Credentials(read, roots)


def _binding(value: object) -> Binding:
    if not isinstance(value, dict) or value.keys() != _KEYS:
        raise NotBindings(f"a binding is no object with the keys {', '.join(sorted(_KEYS))}")
    fields = cast("dict[str, object]", value)
    port = _port(fields["port"], "port")
    if port in layout.OWN_PORTS:
        raise NotBindings("`port` is one of the gateway's own")
    return Binding(
        service=_text(fields["service"], SERVICE, "service"),
        port=port,
        host=_host(fields["host"]),
        host_port=_port(fields["host_port"], "host_port"),
        header=_text(fields["header"], _TOKEN, "header"),
        value=_text(fields["value"], _VALUE, "value", _LONGEST_VALUE),
        strip=_list(fields["strip"], lambda one: _text(one, _TOKEN, "strip"), "strip"),
        methods=_list(fields["methods"], _method, "methods"),
        paths=_list(fields["paths"], _path, "paths"),
        extra=_list(fields["extra"], _pair, "extra"),
    )


def _method(value: object) -> str:
    method = _text(value, _TOKEN, "methods")
    if method.upper() in NEVER_ALLOWED:
        raise NotBindings("`methods` holds one that no binding allows")
    return method


def _path(value: object) -> str:
    path = _text(value, re.compile(r"/[\x21-\x7e]*"), "paths")
    if "?" in path or "#" in path:
        raise NotBindings("`paths` holds more than a path")
    return path


def _pair(value: object) -> tuple[str, str]:
    if not isinstance(value, list) or len(value) != 2:
        raise NotBindings("`extra` is no list of names with values")
    return _text(value[0], _TOKEN, "extra"), _text(value[1], _VALUE, "extra")


def _host(value: object) -> str:
    try:
        return normal(_text(value, _VALUE, "host"))
    except NotAName:
        raise NotBindings("`host` is no host name") from None


def _port(value: object, what: str) -> int:
    if type(value) is not int or not 0 < value <= 65535:
        raise NotBindings(f"`{what}` is no port")
    return value


def _text(value: object, form: re.Pattern[str], what: str, longest: int = _LONGEST_TEXT) -> str:
    if not isinstance(value, str) or len(value) > longest or not form.fullmatch(value):
        raise NotBindings(f"`{what}` has not its form, or is longer than {longest} characters")
    return value


def _list(
    value: object, read: Callable[[object], _T], what: str, most: int = MOST_ENTRIES
) -> tuple[_T, ...]:
    if not isinstance(value, list) or len(value) > most:
        raise NotBindings(f"`{what}` is no list of at most {most}")
    return tuple([read(entry) for entry in value])


def names(bindings: Iterable[Binding]) -> tuple[tuple[str, int], ...]:
    """Service and port of each, which are no secrets: what `Policy.credentials` holds."""
    return tuple((binding.service, binding.port) for binding in bindings)
