"""A comment that suppresses a finding."""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.findings import Place


class Suppression(NamedTuple):
    """One rule that a ``sandboxd: allow <rule> -- reason`` comment names.

    `comment` is the place of the whole comment, `place` that of the rule's name. `alone`: nothing but the comment is on
    its line; `line` is the zero-based line to which it applies. `used`: whether it suppressed a finding, None if not
    yet known. `suggestion` is the known rule with the most similar name, if the name is unknown.
    """

    rule: str
    reason: str
    place: Place
    comment: Place
    alone: bool
    line: int
    known: bool
    used: bool | None = None
    suggestion: str = ""
