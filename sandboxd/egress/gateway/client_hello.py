"""Parses the first message of TLS (RFC 8446, section 4.1.2): which server the client asks for."""

from __future__ import annotations

import struct
from typing import NamedTuple

_HANDSHAKE, _CLIENT_HELLO = 22, 1
_SERVER_NAME, _ENCRYPTED_HELLO, _HOST_NAME = 0, 0xFE0D, 0
_LONGEST_RECORD, _LONGEST_HELLO, _MOST_BYTES = 1 << 14, 1 << 15, 40_000


class BadHello(ValueError):
    """The bytes begin like TLS, but are no ClientHello that can be read."""


class Hello(NamedTuple):
    """The server that a client names in its ClientHello."""

    server_name: str
    """As it is written; '' where none is named."""
    hides_name: bool
    """Whether another name may be in an encrypted part (ECH), which nobody here can read."""


def is_tls(data: bytes | bytearray) -> bool:
    """Whether a connection that begins with `data`, at least one byte, may be TLS."""
    return data[0] == _HANDSHAKE and (len(data) < 2 or data[1] == 3)


class HelloReader:
    """Parses a ClientHello from pieces of any size, however TLS records cut it."""

    def __init__(self) -> None:
        self._raw = bytearray()
        self._at = 0
        self._message = bytearray()

    def feed(self, data: bytes) -> Hello | None:
        """The hello, or None while some of it is missing.

        :raises BadHello: the bytes are no hello, or it is longer than any that a program sends
        """
        self._raw += data
        if len(self._raw) > _MOST_BYTES + _LONGEST_RECORD:
            raise BadHello("too long")
        while len(self._raw) - self._at >= 5:
            kind, major, _, size = struct.unpack_from(">BBBH", self._raw, self._at)
            if kind != _HANDSHAKE or major != 3 or not 0 < size <= _LONGEST_RECORD:
                raise BadHello("not a record of a handshake")
            end = self._at + 5 + size
            if len(self._raw) < end:
                return None
            self._message += self._raw[self._at + 5 : end]
            self._at = end
            if len(self._message) >= 4:
                length = int.from_bytes(self._message[1:4], "big")
                if self._message[0] != _CLIENT_HELLO or length > _LONGEST_HELLO:
                    raise BadHello("not a hello, or too long")
                if len(self._message) >= 4 + length:
                    return _read(_Bytes(bytes(self._message[4 : 4 + length])))
            if self._at > _MOST_BYTES:
                raise BadHello("in too many records")
        return None


class _Bytes:
    """Reads fields one after another."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        if self._at + size > len(self._data):
            raise BadHello("cut off")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> _Bytes:
        """The bytes behind a length field of `size` bytes."""
        return _Bytes(self.take(self.number(size)))


def _read(hello: _Bytes) -> Hello:
    hello.take(2 + 32)  # version, random
    hello.vector(1)  # session
    hello.vector(2)  # cipher suites
    hello.vector(1)  # compression
    name, hides_name = "", False
    if not hello:
        return Hello(name, hides_name)
    extensions = hello.vector(2)
    if hello:
        raise BadHello("something follows the extensions")
    kinds: set[int] = set()
    while extensions:
        kind, value = extensions.number(2), extensions.vector(2)
        if kind in kinds:
            raise BadHello("an extension is there twice")
        kinds.add(kind)
        if kind == _SERVER_NAME:
            name = _server_name(value)
        elif kind == _ENCRYPTED_HELLO:
            hides_name = True
    return Hello(name, hides_name)


def _server_name(value: _Bytes) -> str:
    names = value.vector(2)
    if value or names.number(1) != _HOST_NAME:
        raise BadHello("not one name of a host")
    name = names.vector(2)
    if names:
        raise BadHello("more than one name")
    try:
        text = name.take(len(name._data)).decode("ascii")
    except UnicodeDecodeError:
        raise BadHello("not a name") from None
    if not text:
        raise BadHello("an empty name")
    return text
