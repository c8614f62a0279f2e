"""Caches above their bound: the one that was used longest ago goes first, one that is used never."""

from __future__ import annotations

import os
from typing import Any, cast

import pytest

from sandboxd.engine.client import Engine
from sandboxd.life import cache_bound, cache_uses
from sandboxd.life.cache_bound import Cache
from sandboxd.model.labels import VOLUME
from sandboxd.plan.lasting import beginning

GIB = 1 << 30


@pytest.mark.parametrize(
    ("bound", "gone"),
    [
        (100, []),
        (25, ["never"]),
        (20, ["never", "old"]),
        (5, ["never", "old"]),
        (0, ["never", "old"]),
    ],
)
def test_the_oldest_ones_go_until_the_rest_fits(bound: int, gone: list[str]) -> None:
    caches = (
        Cache("new", 10, False, 4),
        Cache("running", 10, True, 3),
        Cache("old", 5, False, 1),
        Cache("never", 5, False, 0),
        Cache("empty", 0, False, 0),
    )
    assert [cache.name for cache in cache_bound.choose(caches, bound)] == gone


def test_of_those_that_nothing_is_known_of_the_largest_goes_first() -> None:
    caches = (Cache("small", 1, False, 0), Cache("large", 9, False, 0))
    assert [cache.name for cache in cache_bound.choose(caches, 5)] == ["large"]


class Played:
    """An engine with volumes: name, owner, bytes, number of containers."""

    host = "unix:///played"

    def __init__(self, *there: tuple[str, str, int | None, int | None]) -> None:
        self.there = there
        self.removed: list[str] = []
        self.asked = 0

    def volumes(self, _label: str) -> list[dict[str, Any]]:
        return [{"Name": name, "Labels": {VOLUME: owner}} for name, owner, _, _ in self.there]

    def volume_uses(self) -> dict[str, tuple[int | None, int | None]]:
        self.asked += 1
        return {name: (size, users) for name, _, size, users in self.there}

    def remove_volume(self, name: str) -> bool:
        self.removed.append(name)
        return name != TAKEN


ONE, TWO, TAKEN = (f"{beginning('caches', f'/home/ann/{name}')}dev" for name in ("a", "b", "c"))


def test_only_caches_of_ours_are_counted_and_the_size_is_noted() -> None:
    engine = Played(
        (ONE, "/home/ann/a", 3 * GIB, 0),
        (TWO, "/home/ann/b", 2 * GIB, 1),
        # Work, somebody else's with our label, and one that the engine says nothing of.
        (f"{beginning('copy', '/home/ann/a')}agent", "/home/ann/a", 9 * GIB, 0),
        ("postgres", "/home/ann/a", 9 * GIB, 0),
        (f"{beginning('caches', '/home/ann/d')}dev", "/home/ann/d", None, None),
    )
    assert cache_bound.is_due(cast("Engine", engine), os.environ)
    bounded = cache_bound.keep_within(cast("Engine", engine), os.environ, 4 * GIB)
    assert bounded == (2 * GIB, (ONE,)) and engine.removed == [ONE]
    assert not cache_bound.is_due(cast("Engine", engine), os.environ)
    assert cache_uses.recall(os.environ).measured[engine.host].size == 2 * GIB


def test_a_cache_that_was_taken_meanwhile_counts_on() -> None:
    engine = Played((TAKEN, "/home/ann/c", 3 * GIB, 0))
    assert cache_bound.keep_within(cast("Engine", engine), os.environ, GIB) == (3 * GIB, ())


def test_without_caches_no_volume_is_measured() -> None:
    engine = Played(("postgres", "/home/ann/a", 9 * GIB, 0))
    assert cache_bound.keep_within(cast("Engine", engine), os.environ, GIB) == (0, ())
    assert engine.asked == 0
