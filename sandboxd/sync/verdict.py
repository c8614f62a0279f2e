"""What becomes of one path by itself: the table of the three-way comparison."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from sandboxd.sync.flows import Flow
from sandboxd.sync.state import Kind

if TYPE_CHECKING:
    from sandboxd.sync.state import Content


class Verdict(enum.Enum):
    """SAME on both sides; the state of one for both; that of each for itself; or a conflict."""

    SAME = enum.auto()
    IN = enum.auto()
    OUT = enum.auto()
    STAYS = enum.auto()
    CONFLICT = enum.auto()
    """The host's for both, and the sandbox's beside it."""


NEEDS = {Verdict.IN: Flow.IN, Verdict.OUT: Flow.OUT, Verdict.CONFLICT: Flow.IN}
"""The direction in which content passes for a verdict to be carried out; otherwise the path STAYS."""


def verdict_of(host: Content | None, inside: Content | None, agreed: Content | None) -> Verdict:
    """The verdict on a path where the sides have `host` and `inside` and agreed upon `agreed`; None is nothing.

    A side that did not change takes the other's state. A change is stronger than a removal. Where both have the
    same bytes, the host says whether they are executable.
    """
    if host == inside:
        return Verdict.SAME
    if host == agreed:
        return Verdict.OUT
    if inside == agreed:
        return Verdict.IN
    if inside is None:
        return Verdict.IN
    if host is None:
        return Verdict.OUT
    is_same_file = host.kind is inside.kind is Kind.FILE and host.text == inside.text
    return Verdict.IN if is_same_file else Verdict.CONFLICT
