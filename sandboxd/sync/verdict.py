"""Decides about a single path: the table of the three-way comparison."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from sandboxd.sync.flows import Flow
from sandboxd.sync.state import Kind

if TYPE_CHECKING:
    from sandboxd.sync.state import Content


class Verdict(enum.Enum):
    """What happens at a path: it is the same on both sides, is copied one way, stays different, or conflicts."""

    SAME = enum.auto()
    IN = enum.auto()
    OUT = enum.auto()
    STAYS = enum.auto()
    CONFLICT = enum.auto()
    """The host's version for both sides, and the sandbox's next to it."""


NEEDS = {Verdict.IN: Flow.IN, Verdict.OUT: Flow.OUT, Verdict.CONFLICT: Flow.IN}
"""The direction that the policy must allow for a verdict; if it does not, the path STAYS."""


def verdict_of(host: Content | None, inside: Content | None, agreed: Content | None) -> Verdict:
    """The verdict for a path with the content `host` and `inside`, whose last common content is `agreed`; None is
    nothing.

    A side that did not change gets the other's state. A change prevails over a removal. If both have the same bytes,
    the host decides whether they are executable.
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
