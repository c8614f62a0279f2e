"""`forwardPorts` of a devcontainer.json, with `portsAttributes` and `otherPortsAttributes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.kinds._javascript import is_truthy
from sandboxd.kinds.devcontainer.reader import text_of
from sandboxd.model.remote import Port

if TYPE_CHECKING:
    from sandboxd.syntax.node import Node

_HIGHEST = 65535
_MOST = 50
_SAME_CONTAINER = ("", "localhost", "127.0.0.1", "::1")


def read(root: Node) -> tuple[Port, ...]:
    """The ports of this container, and those of other services (``db:5432``).

    What is no port is left out, as the reference client leaves it out.
    """
    node = root.get("forwardPorts")
    ports: dict[str, Port] = {}
    for item in (node.items if node is not None else [])[:_MOST]:
        text = item.text() if item.kind == "string" else str(item.value)
        host, _, digits = (text or "").rpartition(":")
        if not (digits.isascii() and digits.isdecimal() and 0 < int(digits) <= _HIGHEST):
            continue
        port = _port(int(digits), "" if host in _SAME_CONTAINER else host.lower(), root)
        ports[port.text] = port
    return tuple(ports.values())


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
    """The entry of a port: by its number, else by a range. Patterns are of ports nobody named, and not read."""
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
