"""Removes comma-separated children from a text; all other bytes stay.

The comma is removed, too, and the whole line if nothing else is on it. Comments are removed only if they are inside the
removed text, or follow it on a line of its own, as those describe it. Comments above it, or on lines shared with
others, stay, as they may be about more.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.text import Edit, Span, line_start

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLANK = re.compile(r"[ \t]*+")


class Comments(NamedTuple):
    """The syntax of comments in a language, as patterns that also match the empty text.

    `trivia` matches white space, line ends and comments; `rest_of_line` blanks and comments up to a line's end.
    """

    trivia: re.Pattern[str]
    rest_of_line: re.Pattern[str]


def remove(
    text: str, children: Sequence[Span], indexes: set[int], comments: Comments
) -> tuple[Edit, ...]:
    """The edits that remove the children at `indexes`.

    :param children: all children of one list or table, in the order of the file
    """
    cuts: list[Span] = []
    for first, last in _runs(text, children, indexes):
        start, end = children[first].start, children[last].end
        comma = comma_behind(text, end, comments)
        remaining = [index for index in range(first) if index not in indexes]
        if comma is None and remaining:
            before = comma_behind(text, children[remaining[-1]].end, comments)
            if before is not None:
                cuts.append(Span(before, before + 1))
        is_last = comma is None and bool(remaining)
        cuts.extend(_cut(text, Span(start, end), comma, comments, is_last=is_last))
    return tuple(Edit(span, "") for span in merge(cuts))


def merge(spans: list[Span]) -> list[Span]:
    """The union of the spans, as sorted spans that do not touch."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(span.end, merged[-1].end))
        elif span.end > span.start:
            merged.append(span)
    return merged


def comma_behind(text: str, at: int, comments: Comments) -> int | None:
    """The offset of the comma after `at`; None if something else comes first."""
    trivia = comments.trivia.match(text, at)
    at = trivia.end() if trivia else at
    return at if text[at : at + 1] == "," else None


def rest_of_line(text: str, at: int, comments: Comments) -> int | None:
    """The end of the comments on the rest of this line; None if there is something else than comments."""
    rest = comments.rest_of_line.match(text, at)
    end = rest.end() if rest else at
    if end < len(text) and text[end] not in "\r\n":
        return None
    return end if text[at:end].strip(" \t") else at


def next_line(text: str, at: int) -> int:
    """The start of the next line; only white space may be left on the line of `at`."""
    at = behind_blanks(text, at)
    if text.startswith("\r\n", at):
        return at + 2
    return min(at + 1, len(text))


def is_first_on_line(text: str, at: int) -> bool:
    return not text[line_start(text, at) : at].strip(" \t")


def behind_blanks(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at


def _runs(text: str, children: Sequence[Span], indexes: set[int]) -> list[tuple[int, int]]:
    """Groups of neighbours that are removed together, since only a comma and white space are between them."""
    runs: list[tuple[int, int]] = []
    for index in sorted(indexes):
        if runs and runs[-1][1] == index - 1:
            between = text[children[index - 1].end : children[index].start]
            if between.strip(" \t\r\n") == ",":
                runs[-1] = (runs[-1][0], index)
                continue
        runs.append((index, index))
    return runs


def _cut(
    text: str, span: Span, comma: int | None, comments: Comments, *, is_last: bool
) -> list[Span]:
    """The spans to remove for the children at `span` and their comma."""
    start, end = span
    cuts: list[Span] = []
    between = "" if comma is None else text[end:comma]
    tail = end if comma is None else comma + 1
    if "\n" in between or "\r" in between:
        cuts.append(Span(tail - 1, tail))
        tail = end
    line_end = rest_of_line(text, tail, comments)
    if is_first_on_line(text, start) and line_end is not None:
        return [*cuts, Span(line_start(text, start), next_line(text, line_end))]
    if tail > end and between.strip(" \t"):
        cuts += [Span(start, end), Span(tail - 1, tail)]  # a comment between them stays
    else:
        cuts.append(Span(start, tail))
    if is_last or line_end is not None:
        blank = start - _blanks_before(text, start)
        if text[blank - 1 : blank] == ",":
            cuts.append(Span(blank, start))
    else:
        cuts.append(Span(tail, behind_blanks(text, tail)))
    return cuts


def _blanks_before(text: str, at: int) -> int:
    line = text[line_start(text, at) : at]
    return len(line) - len(line.rstrip(" \t"))
