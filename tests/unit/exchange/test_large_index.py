"""An index that a sandbox made large is not read into memory, whenever it became so."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from sandboxd.exchange import to_inside
from sandboxd.exchange.difference import Reason
from sandboxd.exchange.run import Outcome
from tests.unit.exchange.two_sides import Sides, make


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    sides = Sides(make(tmp_path), tmp_path)
    sides.exchange()
    return sides


def test_an_index_with_holes_is_not_read(sides: Sides) -> None:
    with Path(sides.place.inside, "index").open("wb") as file:
        file.write(b"DIRC\0\0\0\2\0\x4c\x4b\x40")
        file.truncate(500 << 20)
    commit = sides.inside("commit-tree", "-p", "main", "-m", "inside", "main^{tree}").strip()
    sides.inside("update-ref", "HEAD", commit)
    outcome = exchanged_within_memory(sides)
    assert [held.reason for held in outcome.waiting] == [Reason.NO_INDEX]


def test_an_index_that_grows_before_the_host_is_followed_is_not_read(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is compared again under its lock, which a program inside need not heed."""
    follow = to_inside.apply

    def follow_a_large_one(*words: Any) -> Any:
        with Path(sides.place.inside, "index").open("r+b") as file:
            file.truncate(500 << 20)
        return follow(*words)

    monkeypatch.setattr(to_inside, "apply", follow_a_large_one)
    sides.host("commit", "--allow-empty", "-qm", "host")
    outcome = exchanged_within_memory(sides)
    assert not outcome.inside_followed
    assert [(held.name, held.reason) for held in outcome.stays] == [
        ("refs/heads/main", Reason.INSIDE_BUSY)
    ]


def exchanged_within_memory(sides: Sides) -> Outcome:
    """Exchange where no file of 100 MiB can be read into memory."""
    tracemalloc.start()
    try:
        outcome = sides.exchange()
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()
    return outcome
