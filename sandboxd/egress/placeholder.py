"""Placeholders of credentials: what stands inside where a tool wants a secret, and how a gateway knows one. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

PREFIX = "placeholder-of-sandboxd-"
"""What each placeholder begins with. It leads to a gateway; anywhere else nothing has a reason to send it."""

_MARK = PREFIX.encode("ascii")
_BASIC = re.compile(rb"basic +([A-Za-z0-9+/=_-]+)\s*", re.IGNORECASE)


def is_carried(target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the head of a request holds a placeholder: as it is, percent-encoded, or as a password of `Basic`."""
    if _MARK in unquote_to_bytes(target):
        return True
    return any(_MARK in value or _MARK in _password(value) for _, value in headers)


def _password(value: bytes) -> bytes:
    match = _BASIC.fullmatch(value)
    if match is None:
        return b""
    try:
        return base64.b64decode(match[1] + b"===", altchars=b"-_" if b"-" in match[1] else None)
    except (binascii.Error, ValueError):
        return b""
