"""Output of a sandbox on its way to a terminal: text and colours pass, what drives a terminal does not.

OSC 52 writes the clipboard, OSC 0 the title, and a cursor that moves rewrites lines that were read.
"""

from __future__ import annotations

import codecs
import re

from sandboxd.terminal import printable

# Select Graphic Rendition (ECMA-48, 8.3.117): colours and weight, and nothing else.
_COLOUR = re.compile(r"(\x1b\[[0-9;]{0,32}m)")
_BEGINNING = re.compile(r"(\x1b(\[[0-9;]{0,32})?|\r)\Z")


class TerminalFilter:
    """One stream. Pieces may end anywhere, also within a character or a sequence."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._held = ""

    def feed(self, data: bytes, *, is_last: bool = False) -> bytes:
        """The part of `data`, and of what was held back before, that may be written."""
        text = self._held + self._decoder.decode(data, is_last)
        beginning = None if is_last else _BEGINNING.search(text)
        self._held = beginning[0] if beginning else ""
        text = text[: beginning.start()] if beginning else text
        parts = _COLOUR.split(text.replace("\r\n", "\n"))
        return "".join(
            part if index % 2 else printable(part) for index, part in enumerate(parts)
        ).encode()
