"""Source text, spans and positions: the only code in sandboxd that counts lines and columns.

Everywhere else offsets are used, in code points of :attr:`SourceText.text`. Lines and columns are only computed here,
for a given encoding, as consumers count differently: users and SARIF count code points, LSP clients count UTF-16 (VS
Code), UTF-8 (Neovim, Helix) or UTF-32 (Emacs) units.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    Encoding = Literal["utf-8", "utf-16", "utf-32"]
else:
    Encoding = str


class Span(NamedTuple):
    """A half-open range of code-point offsets, ``start <= end``."""

    start: int
    end: int

    def contains(self, other: Span) -> bool:
        return self.start <= other.start and other.end <= self.end


class Position(NamedTuple):
    """A zero-based line and column; the column is in the units of the requested encoding."""

    line: int
    column: int


class Edit(NamedTuple):
    """Replace `span` of a text by `text`."""

    span: Span
    text: str


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """`text` with all `edits` applied; their spans must not overlap, and insertions at one place keep their order.

    :raises ValueError: two edits overlap
    """
    parts: list[str] = []
    at = 0
    for span, new in sorted(edits, key=lambda edit: edit.span):
        if span.start < at:
            raise ValueError(f"edits overlap at offset {span.start}")
        parts.append(text[at : span.start])
        parts.append(new)
        at = span.end
    parts.append(text[at:])
    return "".join(parts)


class SourceText:
    """Immutable text of one file, with the name it is shown under.

    Line ends are ``\\r\\n``, ``\\n`` and ``\\r`` as LSP defines them. ``str.splitlines`` also
    splits on U+2028, form feed and others, which would let a hostile file shift our positions
    against the editor's.
    """

    __slots__ = ("_starts", "path", "text")

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self._starts: list[int] | None = None

    def line_starts(self) -> list[int]:
        """Offsets at which each line begins; the first is 0."""
        if self._starts is None:
            self._starts = _line_starts(self.text)
        return self._starts

    def position(self, offset: int, encoding: Encoding = "utf-32") -> Position:
        """Line and column of `offset`, clamped to the text."""
        offset = max(0, min(offset, len(self.text)))
        starts = self.line_starts()
        line = bisect_right(starts, offset) - 1
        if encoding == "utf-32":
            return Position(line, offset - starts[line])
        return Position(line, _units(self.text[starts[line] : offset], encoding))

    def offset(self, position: Position, encoding: Encoding = "utf-32") -> int:
        """Offset of `position`; a column past the end of its line is clamped, as LSP asks."""
        starts = self.line_starts()
        if position.line < 0:
            return 0
        if position.line >= len(starts):
            return len(self.text)
        start = starts[position.line]
        line = self.line_text(position.line)
        if encoding == "utf-32" or line.isascii():
            return start + max(0, min(position.column, len(line)))
        units = 0
        for index, char in enumerate(line):
            if units >= position.column:
                return start + index
            units += _units(char, encoding)
        return start + len(line)

    def line_text(self, line: int) -> str:
        """The text of a zero-based line without its line end."""
        starts = self.line_starts()
        end = starts[line + 1] if line + 1 < len(starts) else len(self.text)
        text = self.text[starts[line] : end]
        if text.endswith("\r\n"):
            return text[:-2]
        return text[:-1] if text.endswith(("\n", "\r")) else text

    def line_end(self) -> str:
        """The first line end in this file, to be used for added text."""
        newline = self.text.find("\n")
        if newline > 0 and self.text[newline - 1] == "\r":
            return "\r\n"
        return "\r" if newline < 0 and "\r" in self.text else "\n"


def line_start(text: str, at: int) -> int:
    """The offset at which the line of `at` begins. The time depends on the length of that line, not of the text."""
    reach = 128
    while True:
        low = max(0, at - reach)
        newline = max(text.rfind("\n", low, at), text.rfind("\r", low, at))
        if newline >= 0 or low == 0:
            return newline + 1
        reach *= 8


def line_end(text: str, at: int) -> int:
    """The offset at which the line of `at` ends, without its line end; as fast as :func:`line_start`."""
    reach = 128
    while True:
        ends = (text.find("\n", at, at + reach), text.find("\r", at, at + reach))
        nearest = min((end for end in ends if end >= 0), default=-1)
        if nearest >= 0 or at + reach >= len(text):
            return nearest if nearest >= 0 else len(text)
        reach *= 8


def _line_starts(text: str) -> list[int]:
    starts = [0]
    at = 0
    if "\r" not in text:
        while (at := text.find("\n", at) + 1) > 0:
            starts.append(at)
        return starts
    size = len(text)
    while at < size:
        char = text[at]
        at += 1
        if char == "\r":
            if at < size and text[at] == "\n":
                at += 1
            starts.append(at)
        elif char == "\n":
            starts.append(at)
    return starts


def _units(text: str, encoding: Encoding) -> int:
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-16":
        return len(text) + sum(char > "\uffff" for char in text)
    return len(text.encode("utf-8", "surrogatepass"))
