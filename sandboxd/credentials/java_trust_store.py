"""Writes certificates as a trust store that every Java reads: the format JKS, version 2.

The format is that of OpenJDK's `sun.security.provider.JavaKeyStore`. Nothing in it is secret; its password only makes
the digest at the end, which Java compares where it is given the password.
"""

from __future__ import annotations

import hashlib
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PASSWORD = "changeit"  # noqa: S105 - the one that Java's own trust store has
_MAGIC, _VERSION, _TRUSTED = 0xFEEDFEED, 2, 2
_SALT = b"Mighty Aphrodite"


def trust_store(certificates: Iterable[str]) -> bytes:
    """The trust store with `certificates`, each in PEM; equal for equal certificates."""
    entries = [
        _entry(number, ssl.PEM_cert_to_DER_cert(text)) for number, text in enumerate(certificates)
    ]
    data = b"".join([_number(_MAGIC), _number(_VERSION), _number(len(entries)), *entries])
    # Java calls for SHA-1 here; nobody is kept out by it.
    return data + hashlib.sha1(PASSWORD.encode("utf-16-be") + _SALT + data).digest()  # noqa: S324


def _entry(number: int, certificate: bytes) -> bytes:
    created = bytes(8)  # milliseconds since 1970
    return b"".join([
        _number(_TRUSTED), _text(f"ca{number}"), created, _text("X.509"),
        _number(len(certificate)), certificate,
    ])  # fmt: skip


def _number(value: int) -> bytes:
    return value.to_bytes(4, "big")


def _text(text: str) -> bytes:
    data = text.encode("ascii")
    return len(data).to_bytes(2, "big") + data
