"""One path by itself: what becomes of it by what both sides have and what they agreed upon."""

from __future__ import annotations

import pytest

from sandboxd.sync.state import FOLDER, Content
from sandboxd.sync.verdict import Verdict, verdict_of
from tests.unit.sync.model import file, link

OLD, ONE, TWO = file("old"), file("one"), file("two")


@pytest.mark.parametrize(
    ("host", "inside", "agreed", "expected"),
    [
        (OLD, OLD, OLD, Verdict.SAME),
        (ONE, ONE, OLD, Verdict.SAME),
        (None, None, OLD, Verdict.SAME),
        (ONE, OLD, OLD, Verdict.IN),
        (OLD, ONE, OLD, Verdict.OUT),
        (None, OLD, OLD, Verdict.IN),
        (OLD, None, OLD, Verdict.OUT),
        (ONE, None, None, Verdict.IN),
        (None, ONE, None, Verdict.OUT),
        (ONE, TWO, OLD, Verdict.CONFLICT),
        (ONE, TWO, None, Verdict.CONFLICT),
        (ONE, link("a"), OLD, Verdict.CONFLICT),
        (ONE, FOLDER, OLD, Verdict.CONFLICT),
        # A change is stronger than a removal.
        (ONE, None, OLD, Verdict.IN),
        (None, ONE, OLD, Verdict.OUT),
        # Whether it is executable is no reason to keep a file twice.
        (ONE._replace(executable=True), ONE, OLD, Verdict.IN),
        (OLD._replace(executable=True), OLD, OLD, Verdict.IN),
        (OLD, OLD._replace(executable=True), OLD, Verdict.OUT),
    ],
)
def test_the_table(
    host: Content | None, inside: Content | None, agreed: Content | None, expected: Verdict
) -> None:
    assert verdict_of(host, inside, agreed) is expected
