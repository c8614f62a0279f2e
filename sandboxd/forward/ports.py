"""Parses ports as people write them: `3000`, `3000:8080`, `db:5432`, and `forwardPorts` of a devcontainer.json."""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.errors import UsageError

_HIGHEST = 65535


class Wish(NamedTuple):
    """A port of the sandbox that is to be forwarded, and the wanted port on this machine."""

    inside: int
    local: int
    is_fixed: bool = True
    """Whether no other port on this machine will do."""
    label: str = ""
    """A name for people, hostile text; '' for none."""
    service: str = ""
    """The Compose service whose port it is; '' for the sandbox itself."""


def parse(text: str) -> Wish:
    """Parse ``PORT`` or ``PORT:LOCAL``, with ``SERVICE:`` before it for a port of another service.

    :raises UsageError: it has none of these forms
    """
    service, colon, rest = text.partition(":")
    if not colon or service[:1].isdigit():
        service, rest = "", text
    inside, colon, local = rest.partition(":")
    try:
        if text.startswith(":"):
            raise ValueError(text)
        wish = Wish(
            _port(inside), _port(local) if colon else _port(inside), service=service.lower()
        )
    except ValueError:
        raise UsageError(
            f"`{text}` is no port to forward",
            "write `3000`, or `3000:8080` for port 3000 inside at port 8080 here; `db:5432` for the "
            "service `db`",
        ) from None
    return wish


def _port(text: str) -> int:
    """:raises ValueError: it is no port"""
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= _HIGHEST):
        raise ValueError(text)
    return int(text)
