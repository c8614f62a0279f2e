"""Encodes and decodes the messages of an SSH agent that the filter needs (draft-ietf-sshm-ssh-agent). Pure.

A message is its length (4 bytes, big endian), its number (1 byte) and fields; a string is its length (4 bytes, big
endian) and its bytes.
"""

from __future__ import annotations

import base64
import hashlib
from typing import NamedTuple

FAILURE, SUCCESS = 5, 6
LIST, IDENTITIES = 11, 12
SIGN, SIGNATURE = 13, 14
EXTENSION = 27

LONGEST_MESSAGE = 256 << 10
"""In bytes; the same limit as in OpenSSH's agent."""

_BIND = b"session-bind@openssh.com"
_USERAUTH_REQUEST = 50
_BOUND_METHOD = b"publickey-hostbound-v00@openssh.com"


class Malformed(ValueError):
    """The bytes are not a valid message of an SSH agent."""


class Identity(NamedTuple):
    """A public key in SSH's binary format, and its comment."""

    key: bytes
    comment: bytes


class Bind(NamedTuple):
    """A client's claim with which host its session is; `signature` is the host's, of the session's id."""

    host_key: bytes
    session: bytes
    signature: bytes
    is_forwarding: bool


class Login(NamedTuple):
    """The data of a login that a client wants signed (RFC 4252, section 7)."""

    session: bytes
    key: bytes
    host_key: bytes | None
    """The host's key if it is part of what is signed, so that no other host accepts the signature; else None."""


class _Fields:
    """Reads the fields of a message, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def take(self, size: int) -> bytes:
        if size > len(self._data):
            raise Malformed("it ends within a field")
        part, self._data = self._data[:size], self._data[size:]
        return part

    def number(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        return self.take(self.number())

    def flag(self) -> bool:
        return self.take(1) != b"\0"

    def end(self) -> None:
        if self._data:
            raise Malformed("it has more than its fields")


def fingerprint(key: bytes) -> str:
    """The fingerprint of a public key, as `ssh-keygen -l` shows it (``SHA256:``...)."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def message(number: int, content: bytes) -> bytes:
    """Encode a message: its length, number and content."""
    return string(bytes([number]) + content)


def string(data: bytes) -> bytes:
    """Encode a string field: its length and its bytes."""
    return len(data).to_bytes(4, "big") + data


def identities(content: bytes) -> tuple[Identity, ...]:
    """Decode the keys in an answer to `LIST`.

    :raises Malformed: it is not a valid answer
    """
    fields = _Fields(content)
    count = fields.number()
    if count > LONGEST_MESSAGE // 8:
        raise Malformed("it counts more keys than it can hold")
    listed = tuple(Identity(fields.string(), fields.string()) for _ in range(count))
    fields.end()
    return listed


def identities_content(listed: tuple[Identity, ...]) -> bytes:
    """Encode keys as the content of an answer to `LIST`."""
    fields = (string(each.key) + string(each.comment) for each in listed)
    return len(listed).to_bytes(4, "big") + b"".join(fields)


def bind(content: bytes) -> Bind | None:
    """Decode a `session-bind` request; None for another `EXTENSION`.

    :raises Malformed: it is truncated
    """
    fields = _Fields(content)
    if fields.string() != _BIND:
        return None
    read = Bind(fields.string(), fields.string(), fields.string(), fields.flag())
    fields.end()
    return read


def bind_content(claim: Bind) -> bytes:
    """Encode a `session-bind` request."""
    fields = (_BIND, claim.host_key, claim.session, claim.signature)
    return b"".join(map(string, fields)) + bytes([claim.is_forwarding])


def login(content: bytes) -> Login | None:
    """Decode the login in a `SIGN` request; None if something else is to be signed.

    :raises Malformed: it is truncated
    """
    fields = _Fields(content)
    key, data = fields.string(), _Fields(fields.string())
    fields.number()
    fields.end()
    try:
        session, kind = data.string(), data.take(1)[0]
        data.string()
        service, method, has_signature = data.string(), data.string(), data.flag()
        data.string()
        same_key = data.string()
        host_key = data.string() if method == _BOUND_METHOD else None
        data.end()
    except Malformed:
        return None
    is_login = kind == _USERAUTH_REQUEST and service == b"ssh-connection" and has_signature
    if not is_login or method not in (b"publickey", _BOUND_METHOD) or same_key != key:
        return None
    return Login(session, key, host_key)
