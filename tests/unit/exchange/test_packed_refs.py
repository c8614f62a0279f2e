"""Packed refs and logs that a program inside filled with anything cost the host little, and that is said."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from sandboxd.exchange import own_refs, packed_refs
from sandboxd.exchange.run import Problem, exchange
from tests.unit.exchange.two_sides import Sides, make


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    sides = Sides(make(tmp_path), tmp_path)
    sides.exchange()
    return sides


@pytest.mark.parametrize(
    ("size", "why"),
    [
        (32 << 20, "more than 4 MiB of packed refs"),
        (4 << 20, "more than 104857 lines of packed refs"),
    ],
)
def test_lines_without_end_are_not_read(sides: Sides, size: int, why: str) -> None:
    Path(sides.place.inside, "packed-refs").write_bytes(b"\xff\n" * (size // 2))
    before = sides.host("for-each-ref")
    tracemalloc.start()
    try:
        outcome = exchange(sides.repository, sides.place, "", sides.transfer)
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()
    assert outcome.problem is Problem.UNREADABLE
    assert why in outcome.why and "git pack-refs" in outcome.hint
    assert sides.host("for-each-ref") == before


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_packed_refs_that_are_no_file_are_no_deletion(sides: Sides, kind: str) -> None:
    path = Path(sides.place.inside, "packed-refs")
    path.unlink(missing_ok=True)
    make_it = {"link": lambda: path.symlink_to("HEAD"), "folder": path.mkdir}
    make_it.get(kind, lambda: os.mkfifo(path))()
    before = sides.host("for-each-ref")
    outcome = exchange(sides.repository, sides.place, "", sides.transfer)
    assert outcome.problem is Problem.UNREADABLE
    assert sides.host("for-each-ref") == before


def test_a_repository_with_very_many_refs_is_exchanged(sides: Sides) -> None:
    oid = sides.host("rev-parse", "main").strip()
    many = "".join(f"{oid} refs/tags/{number:0>200}\n" for number in range(20_000))
    for folder in (sides.repository.common, sides.place.inside):
        path = Path(folder, "packed-refs")
        text = path.read_text() if path.exists() else ""
        path.write_text(text + many)
    assert Path(sides.place.inside, "packed-refs").stat().st_size > packed_refs.LARGEST
    sides.inside("commit", "--allow-empty", "-qm", "inside")
    assert sides.exchange().host_followed


def test_of_a_log_the_last_lines_are_read(tmp_path: Path) -> None:
    oid = "1" * 40
    line = f"{'0' * 40} {oid} Ann <ann@example.org> 0 +0000\tx\n"
    (tmp_path / "log").write_bytes(b"\n" * (8 << 20) + line.encode())
    root = os.open(tmp_path, os.O_RDONLY)
    try:
        tracemalloc.start()
        assert own_refs._logged_in(root, "log") == [oid]
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
        os.close(root)
