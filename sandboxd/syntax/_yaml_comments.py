"""Finds the comments of a YAML text, which libyaml does not tell of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.syntax.node import Comment
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMENT = re.compile(r"(?:(?<=[ \t\r\n])|\A)#[^\r\n]*")


def comments_of(text: str, opaque: list[Span]) -> Iterator[Comment]:
    """The comments of `text`, also those in blanked lines; a `#` within a string begins none."""
    if "#" not in text:
        return
    opaque.sort()
    index = at = 0
    while (match := _COMMENT.search(text, at)) is not None:
        start = match.start()
        while index < len(opaque) and opaque[index].end <= start:
            index += 1
        if index < len(opaque) and opaque[index].start <= start:
            at = opaque[index].end
            continue
        yield Comment(Span(start, match.end()))
        at = match.end()
