"""The entries of `appPort` in a devcontainer.json, which the reference client passes to `docker run --publish`. Pure."""

from __future__ import annotations

_HIGHEST = 65535
_MOST = 50


def number(text: str) -> int:
    """The port in `text`.

    :raises ValueError: it is no port; the message is for a person
    """
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:9]) <= _HIGHEST):
        raise ValueError('it is no port: write `3000`, or `"db:5432"` for the service `db`')
    return int(text)


def published(text: str) -> tuple[tuple[int, int], ...]:
    """The (port inside, port here) of an entry: ``[ADDRESS:][HERE:]INSIDE[/tcp]``, each of which may be a range.

    The address is ignored: all are opened for this machine alone.

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
    first = number(low)
    last = number(high) if dash else first
    if last < first:
        raise ValueError(text)
    return range(first, last + 1)


def _is_address(text: str) -> bool:
    return text == "localhost" or not set(text) - set("0123456789abcdefABCDEF.:[]")
