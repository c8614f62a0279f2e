"""`forwardPorts` and `appPort` of a devcontainer.json, with `portsAttributes` and `otherPortsAttributes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.formats._javascript import is_truthy
from sandboxd.formats.devcontainer.reader import text_of
from sandboxd.model.remote import Port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.syntax.node import Node

_MOST = 50
"""Ports of a config, and of one range."""
_HIGHEST = 65535
_SAME_CONTAINER = ("", "localhost", "127.0.0.1", "::1")


class Ports(NamedTuple):
    """The ports of this container and of other services, and a sentence for each entry that is no port."""

    ports: tuple[Port, ...] = ()
    none: tuple[str, ...] = ()


def read(root: Node) -> Ports:
    """The ports that a config names, each once; of two entries for one the last counts."""
    ports: dict[str, Port] = {}
    none: list[str] = []
    for key, node in _entries(root):
        text = text_of(node) if node.kind == "string" else str(node.value)
        try:
            several = _app(text or "", root) if key == "appPort" else [_forwarded(text or "", root)]
        except ValueError as error:
            none.append(f"{key} `{text}` is not forwarded: {error}")
            continue
        for port in several:
            if len(ports) >= _MOST and port.text not in ports:
                none.append(f"{key} `{text}` is not forwarded: it is one of more than {_MOST}")
                break
            ports[port.text] = port
    return Ports(tuple(ports.values()), tuple(dict.fromkeys(none)))


def _entries(root: Node) -> Iterator[tuple[str, Node]]:
    """The entries of both keys: a list, or one entry without a list, as the reference client takes them."""
    for key in ("forwardPorts", "appPort"):
        node = root.get(key)
        if node is None or not is_truthy(node):
            continue
        for item in node.items if node.kind == "array" else (node,):
            yield key, item


def _forwarded(text: str, root: Node) -> Port:
    """:raises ValueError: it is no port, in words"""
    host, _, digits = text.rpartition(":")
    number = _number(digits)
    if host.isdecimal():
        raise ValueError(
            f'`{host}` is the name of a service there; write `{digits}`, or `"appPort": "{text}"`'
        )
    return _port(number, "" if host in _SAME_CONTAINER else host.lower(), root)


def _app(text: str, root: Node) -> list[Port]:
    """:raises ValueError: it is nothing that is published, in words"""
    if root.get("dockerComposeFile") is not None:
        raise ValueError("it has no effect in a Compose project; `forwardPorts` has")
    return [
        _port(inside, "", root)._replace(here=here if here != inside else 0)
        for inside, here in _published(text)
    ]


def _port(number: int, service: str, root: Node) -> Port:
    attributes = _attributes(number, service, root.get("portsAttributes"))
    if attributes is None:
        attributes = root.get("otherPortsAttributes")
    if attributes is None:
        return Port(number, service=service)
    same = attributes.get("requireLocalPort")
    return Port(
        number,
        text_of(attributes.get("label")) or "",
        "https" if text_of(attributes.get("protocol")) == "https" else "http",
        same is not None and is_truthy(same),
        service,
    )


def _attributes(number: int, service: str, node: Node | None) -> Node | None:
    """The attributes of a port: by its number, else by a range.

    Patterns match ports that nobody named, so they are not read.
    """
    if node is None:
        return None
    if service:
        return node.get(f"{service}:{number}")
    entry = node.get(str(number)) or node.get(f"localhost:{number}")
    if entry is not None:
        return entry
    for key, value in node.members:
        low, dash, high = str(key.value).partition("-")
        if dash and low.isdecimal() and high.isdecimal() and int(low) <= number <= int(high):
            return value
    return None


def _number(text: str) -> int:
    """The port in `text`.

    :raises ValueError: it is no port; the message is for a person
    """
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:9]) <= _HIGHEST):
        raise ValueError('it is no port: write `3000`, or `"db:5432"` for the service `db`')
    return int(text)


def _published(text: str) -> tuple[tuple[int, int], ...]:
    """The (port inside, port here) of an entry of `appPort`: ``[ADDRESS:][HERE:]INSIDE[/tcp]``, each maybe a range.

    The reference client passes it to `docker run --publish`. The address is ignored: all are opened for this machine alone.

    :raises ValueError: it is no port; the message is for a person
    """
    rest, _, protocol = text.partition("/")
    if protocol not in ("", "tcp"):
        raise ValueError(f"`{protocol}` is not forwarded, TCP alone is")
    *address, here, inside = ["", "", *rest.rsplit(":", 2)][-3:]
    if address[0] and not _is_address(address[0]):
        raise ValueError("it is nothing that can be published: write `3000`, or `8080:3000`")
    try:
        insides = _range(inside)
        heres = _range(here) if here else insides
    except ValueError:
        raise ValueError(
            "it is nothing that can be published: write `3000`, or `8080:3000`"
        ) from None
    if len(heres) != len(insides):
        if len(insides) > 1:
            raise ValueError("its ranges are not of one length")
        heres = heres[:1]
    if len(insides) > _MOST:
        raise ValueError(f"it is a range of more than {_MOST} ports")
    return tuple(zip(insides, heres, strict=True))


def _range(text: str) -> range:
    """:raises ValueError: it is no port, and no range of them"""
    low, dash, high = text.partition("-")
    first = _number(low)
    last = _number(high) if dash else first
    if last < first:
        raise ValueError(text)
    return range(first, last + 1)


def _is_address(text: str) -> bool:
    return text == "localhost" or not set(text) - set("0123456789abcdefABCDEF.:[]")
