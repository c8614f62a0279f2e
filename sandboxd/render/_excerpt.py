"""Shows a line of a file with a part of it underlined, fitted to the width of a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.screen import code_point, columns_of

if TYPE_CHECKING:
    from sandboxd.text import SourceText, Span

TAB = 4
_CUT = "..."


def excerpt(source: SourceText, span: Span, width: int) -> tuple[str, str]:
    """The line in which `span` begins, and a line of carets to put below it; each at most `width` columns wide.

    If the span covers several lines, it is underlined to the end of the first.
    """
    start = source.position(span.start)
    end = source.position(span.end)
    line = source.line_text(start.line)
    last = min(end.column if end.line == start.line else len(line), len(line))
    first = min(start.column, len(line))
    # Only the visible part is measured: a line may be a megabyte long.
    from_, to = max(0, first - width), min(len(line), first + 2 * width)
    cells, starts = _cells(line[from_:to])
    left = starts[first - from_]
    right = max(starts[min(last, to) - from_], left + 1)
    if starts[-1] > width or from_ > 0 or to < len(line):
        text, left, right = _cut(cells, starts, left, right, width, from_ > 0, to < len(line))
    else:
        text = "".join(cells)
    return text.rstrip(), " " * left + "^" * (right - left)


def _cells(line: str) -> tuple[list[str], list[int]]:
    """The text that each character is shown as, and the column it begins at, with one more at the end."""
    if line.isascii() and line.isprintable():
        return list(line), list(range(len(line) + 1))
    cells: list[str] = []
    starts: list[int] = []
    at = 0
    for char in line:
        starts.append(at)
        if char == "\t":
            cell = " " * (TAB - at % TAB)
        elif char.isprintable() or columns_of(char) == 0:
            cell = char
        else:
            # Characters that change the direction of text could make a file look different.
            cell = code_point(char)
        cells.append(cell)
        at += columns_of(cell)
    starts.append(at)
    return cells, starts


def _cut(
    cells: list[str],
    starts: list[int],
    left: int,
    right: int,
    width: int,
    more_before: bool,
    more_behind: bool,
) -> tuple[str, int, int]:
    """A window of a long line around its mark, with dots where it goes on."""
    room = max(width - 2 * len(_CUT), 8)
    first = max(0, left - max(0, (room - min(right - left, room)) // 2))
    visible = [
        (cell, start)
        for cell, start in zip(cells, starts, strict=False)
        if first <= start and start + columns_of(cell) <= first + room
    ]
    offset = visible[0][1] if visible else first
    head = _CUT if offset > 0 or more_before else ""
    tail = _CUT if first + room < starts[-1] or more_behind else ""
    shift = len(head) - offset
    text = head + "".join(cell for cell, _ in visible) + tail
    return text, left + shift, max(min(right + shift, len(head) + room), left + shift + 1)
