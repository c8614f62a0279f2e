"""Placeholders of credentials: the texts inside in place of secrets, and how a gateway recognises one. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote_to_bytes

PREFIX = "placeholder-of-sandboxd-"
"""The first characters of each placeholder. It leads to a gateway; anywhere else nothing has a reason to send it."""

_MARK = PREFIX.encode("ascii")
_WHOLE = re.compile(re.escape(PREFIX) + "[0-9a-f]{20}")
_BASIC = re.compile(rb"basic +([A-Za-z0-9+/=_-]+)\s*", re.IGNORECASE)


def is_one(text: str) -> bool:
    """Whether `text` is a placeholder and nothing else."""
    return _WHOLE.fullmatch(text) is not None


def is_carried(method: bytes, target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the head of a request holds a placeholder: as it is, percent-encoded, or as a password of `Basic`."""
    return holds(method, target, headers, (_MARK,))


def holds(
    method: bytes,
    target: bytes,
    headers: Iterable[tuple[bytes, bytes]],
    texts: Sequence[bytes],
) -> bool:
    """Whether the head of a request holds one of `texts`, in the spellings of `is_carried`.

    Names of fields are compared without case: a reader has them in small letters, whatever was sent.
    """
    places = [method, unquote_to_bytes(target)]
    names: list[bytes] = []
    for name, value in headers:
        places += (value, _password(value))
        names.append(name.lower())
    return any(
        any(text in place for place in places) or any(text.lower() in name for name in names)
        for text in texts
    )


def _password(value: bytes) -> bytes:
    match = _BASIC.fullmatch(value)
    if match is None:
        return b""
    try:
        return base64.b64decode(match[1] + b"===", altchars=b"-_" if b"-" in match[1] else None)
    except (binascii.Error, ValueError):
        return b""
