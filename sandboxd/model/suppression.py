"""A comment that allows a finding."""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.findings import Place


class Suppression(NamedTuple):
    """One rule named by a ``sandboxd: allow <rule> -- reason`` comment.

    `comment` is the whole comment, `place` the rule's name in it. `alone` is True when nothing
    but the comment stands on its line; `line` is the zero-based line that it speaks for. `used`
    says whether a finding was there, None while that is not known; `suggestion` is the known
    rule nearest to an unknown name.
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
