"""A text that is not shown by accident."""

from __future__ import annotations

import hmac
from typing import NoReturn

LONGEST = 4096
"""The most characters of a secret: what fits into the header of a request."""


class NotASecret(ValueError):
    """The text cannot be the value of a header field; the message never contains it."""


class Secret:
    """A secret, which only `reveal` returns; str, repr and format do not show it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """:raises NotASecret: `text` is empty, too long, or has characters that a header field may not have"""
        text = text.strip(" \t\r\n")
        if not text:
            raise NotASecret("it is empty")
        if len(text) > LONGEST:
            raise NotASecret(f"it is longer than {LONGEST} characters")
        if not (text.isascii() and text.isprintable()) or " " in text:
            raise NotASecret("it has spaces, line ends or characters beyond ASCII")
        self._text = text

    def reveal(self) -> str:
        """The secret itself, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text, other._text)

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written down")
