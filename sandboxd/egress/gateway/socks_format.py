"""The messages of SOCKS 5 (RFC 1928): a connection by name, without a password."""

from __future__ import annotations

import socket
from enum import IntEnum
from typing import NamedTuple

GREETING_REPLY = b"\x05\x00"
NO_METHOD_REPLY = b"\x05\xff"
_CONNECT, _IPV4, _NAME, _IPV6, _NO_PASSWORD = 1, 1, 3, 4, 0


class Code(IntEnum):
    """The codes of a reply (section 6)."""

    GRANTED = 0
    FAILURE = 1
    NOT_ALLOWED = 2
    HOST_UNREACHABLE = 4
    REFUSED = 5
    COMMAND_UNKNOWN = 7
    ADDRESS_UNKNOWN = 8


class BadSocks(ValueError):
    """Not SOCKS 5, or an unsupported part of it; `reply` is the code to answer with."""

    def __init__(self, message: str, reply: bytes = b"") -> None:
        super().__init__(message)
        self.reply = reply


class Request(NamedTuple):
    """The host and port that a client asks to be connected to."""

    host: str
    """A name as it was sent, or an address."""
    port: int
    size: int
    """The bytes of the request; what follows is for the other end."""


def reply(code: Code) -> bytes:
    """The answer to a request; the address field is left empty, as the client needs none."""
    return bytes([5, code, 0, _IPV4]) + bytes(6)


def read_greeting(data: bytes) -> int | None:
    """The length of the greeting in bytes; None while some are missing.

    :raises BadSocks: it is no greeting, or offers no method without a password
    """
    if data[:1] not in (b"", b"\x05"):
        raise BadSocks("not SOCKS 5")
    if len(data) < 2 or len(data) < 2 + data[1]:
        return None
    if _NO_PASSWORD not in data[2 : 2 + data[1]]:
        raise BadSocks("no method that is spoken here", NO_METHOD_REPLY)
    return 2 + data[1]


def read_request(data: bytes) -> Request | None:
    """The request; None while some of it is missing.

    :raises BadSocks: it is no request, or not for a connection
    """
    if data[:1] not in (b"", b"\x05"):
        raise BadSocks("not SOCKS 5")
    if len(data) < 5:
        return None
    if data[1] != _CONNECT:
        raise BadSocks("not a connection", reply(Code.COMMAND_UNKNOWN))
    if data[3] == _NAME:
        start, size = 5, data[4]
    elif data[3] in (_IPV4, _IPV6):
        start, size = 4, 4 if data[3] == _IPV4 else 16
    else:
        raise BadSocks("an unknown kind of address", reply(Code.ADDRESS_UNKNOWN))
    end = start + size + 2
    if len(data) < end:
        return None
    host = data[start : start + size]
    if data[3] == _IPV4:
        text = socket.inet_ntop(socket.AF_INET, host)
    elif data[3] == _IPV6:
        text = socket.inet_ntop(socket.AF_INET6, host)
    else:
        text = _name(host)
    return Request(text, int.from_bytes(data[end - 2 : end], "big"), end)


def _name(host: bytes) -> str:
    """A host name; one with a NUL is refused, since it would end there for a reader written in C."""
    if not host or not all(0x20 < byte < 0x7F for byte in host):
        raise BadSocks("not a name", reply(Code.NOT_ALLOWED))
    return host.decode("ascii")
