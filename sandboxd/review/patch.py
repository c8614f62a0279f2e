"""Shows changes to the user: a summary, then each difference. The time is limited whatever the changes contain."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from sandboxd.review.weigh import Item, is_shown

if TYPE_CHECKING:
    from collections.abc import Iterator

# `difflib` may take the square of the number of lines.
_MOST_LINES = 1500
_CONTEXT = 3
_HUNK = re.compile(r"([-+])(\d+)")
_NO_LINES = "@@ the file is empty @@"
_SAME_LINES = "@@ only the mode, or the end of the last line, differs @@"
_LETTERS = {"added": "A", "changed": "M", "deleted": "D"}


def summary(item: Item) -> str:
    """One line about an item: kind of change, path, number of lines, and warnings."""
    counted = count(item)
    size = f"+{counted[0]} -{counted[1]}" if counted else f"{len(item.new)} bytes, not shown"
    text = f"{_LETTERS[item.kind]} {item.path}  {size}"
    watch = [item.control] if item.control else []
    watch += item.remarks
    if item.blocked:
        return f"{text}  NOT BROUGHT: {item.blocked}"
    return f"{text}  {'WATCH' if item.control else 'note'}: {'; '.join(watch)}" if watch else text


def lines(item: Item) -> Iterator[str]:
    """Yield the lines of the difference, without line ends, in the format of `diff -u`."""
    old, new = _lines(item.old), _lines(item.new)
    yield f"--- {item.path if item.kind != 'added' else '(nothing)'}"
    yield f"+++ {item.path if item.kind != 'deleted' else '(nothing)'}"
    if old is None or new is None:
        yield f"@@ {len(item.old)} bytes become {len(item.new)} bytes, which are not shown @@"
        return
    ends = _line_ends(item.old), _line_ends(item.new)
    if "mixed" not in ends:
        # The end of a line is no part of it where all have the same one.
        old, new = ([line.removesuffix("\r") for line in text] for text in (old, new))
        if old and new and ends[0] != ends[1]:
            yield f"@@ line ends: {ends[0]} becomes {ends[1]} @@"
    same = _same_start(old, new)
    end = _same_start(old[same:][::-1], new[same:][::-1])
    middle_old, middle_new = old[same : len(old) - end], new[same : len(new) - end]
    if max(len(middle_old), len(middle_new)) > _MOST_LINES:
        yield f"@@ -{same + 1},{len(middle_old)} +{same + 1},{len(middle_new)} @@"
        yield from (f"-{line}" for line in middle_old)
        yield from (f"+{line}" for line in middle_new)
        return
    first = max(0, same - _CONTEXT)
    head, tail = old[first:same], old[len(old) - end :][:_CONTEXT]
    diff = difflib.unified_diff(
        [*head, *middle_old, *tail], [*head, *middle_new, *tail], lineterm="", n=_CONTEXT
    )
    for number, line in enumerate(diff):
        if number > 1:
            yield (
                _HUNK.sub(lambda m: f"{m[1]}{int(m[2]) + first}", line)
                if line[:2] == "@@"
                else line
            )
    if old == new and ends[0] == ends[1]:
        yield _SAME_LINES if item.old or item.new else _NO_LINES


def _line_ends(data: bytes) -> str:
    """The kind of line ends: LF, CRLF or mixed."""
    pairs, ends = data.count(b"\r\n"), data.count(b"\n")
    if not pairs:
        return "LF"
    return "CRLF" if pairs == ends and data.count(b"\r") == pairs else "mixed"


def _same_start(one: list[str], two: list[str]) -> int:
    count = 0
    for left, right in zip(one, two, strict=False):
        if left != right:
            break
        count += 1
    return count


def count(item: Item) -> tuple[int, int] | None:
    """The numbers of added and removed lines; None if the difference is not shown."""
    if _lines(item.old) is None or _lines(item.new) is None:
        return None
    body = list(lines(item))[2:]
    return sum(x.startswith("+") for x in body), sum(x.startswith("-") for x in body)


def _lines(data: bytes) -> list[str] | None:
    """Lines of a text, None where it is not shown; bytes that are not UTF-8 are escaped."""
    if not is_shown(data):
        return None
    text = data.decode("utf-8", "surrogateescape")
    return text.removesuffix("\n").split("\n") if text else []
