"""Finds characters of a text that a person does not see, but an agent reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import Place, Remove
from sandboxd.model.agent import Instructions
from sandboxd.model.values import Origin, Value
from sandboxd.text import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandboxd.findings import Change
    from sandboxd.text import SourceText

# A flag of a country's part is a black flag with tag characters and the tag that ends them.
_FLAG = "\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f"
_HIDDEN = (
    # Joiners stand alone between letters and in emoji; in a row they spell a text in two signs.
    "[\u200b-\u200f\u2060-\u2064\ufeff]{4,}"
    "|[\u202a-\u202e\u2066-\u2069]+"
    "|[\U000e0000-\U000e007f]+"
    "|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}"
    # One for each letter carries a text as well as a row does; after an ideograph it picks its form.
    "|(?<![\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])[\U000e0100-\U000e01ef]"
    "|[\u00ad\u034f\u115f\u1160\u180e\u200b\u2060-\u2064\u3164\ufeff\uffa0\ufff9-\ufffb]+"
)
_PATTERN = re.compile(f"({_FLAG})|({_HIDDEN})")
_MOST = 1000


def instructions(source: SourceText) -> Iterator[tuple[str, object]]:
    """The text as one for agents, if it has such characters."""
    hidden = tuple(_hidden(source))
    if hidden:
        yield "Instructions", Instructions(source.path, hidden)


def _hidden(source: SourceText) -> Iterator[Value[str]]:
    count = 0
    for match in _PATTERN.finditer(source.text):
        # A byte order mark begins a file.
        if match[1] or (match[0] == "\ufeff" and match.start() == 0):
            continue
        count += 1
        if count > _MOST:
            return
        place = Place(source.path, Span(match.start(), match.end()))
        yield Value(match[0], Origin("file", source.path), place, match[0])


def edits(changes: Sequence[Change]) -> tuple[Edit, ...] | None:
    """The edits that remove the characters."""
    removals = []
    for change in changes:
        if not isinstance(change, Remove) or change.value.place is None:
            return None
        removals.append(Edit(change.value.place.span, ""))
    return tuple(removals)
