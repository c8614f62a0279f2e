"""A test's home is used again only where nothing shows that a test was there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.homes import Homes


def as_seen(home: Path) -> list[tuple[str, int]]:
    return sorted((str(each.relative_to(home)), each.stat().st_mode) for each in home.rglob("*"))


def test_an_untouched_home_is_used_again(tmp_path: Path) -> None:
    homes = Homes(tmp_path)
    home = homes.take()
    before = as_seen(home), home.stat().st_mode
    homes.put_back(home)
    assert homes.take() == home
    assert (as_seen(home), home.stat().st_mode) == before


def test_two_at_once_are_two(tmp_path: Path) -> None:
    homes = Homes(tmp_path)
    first, second = homes.take(), homes.take()
    assert first != second
    homes.put_back(first)
    homes.put_back(second)
    assert os.listdir(tmp_path) == [first.name]


@pytest.mark.parametrize(
    "touch",
    [
        lambda home: (home / "state").mkdir(),
        lambda home: (home / ".bashrc").write_text("x"),
        lambda home: (home / "run/socket").write_text(""),
        lambda home: (home / "tmp/crash").write_text(""),
        lambda home: (home / "tmp").rmdir(),
        lambda home: ((home / "tmp").rmdir(), (home / "tmp").symlink_to("/")),
        lambda home: home.chmod(0o777),
        lambda home: (home / "run").chmod(0o755),
        lambda home: (home / "run").rename(home / "elsewhere"),
    ],
)
def test_a_touched_home_is_removed(tmp_path: Path, touch: Callable[[Path], object]) -> None:
    homes = Homes(tmp_path)
    home = homes.take()
    touch(home)
    homes.put_back(home)
    assert os.listdir(tmp_path) == []
    assert as_seen(homes.take()) != []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_home_that_was_given_away_is_removed(tmp_path: Path) -> None:
    homes = Homes(tmp_path)
    home = homes.take()
    os.chown(home, 12345, -1)
    homes.put_back(home)
    assert os.listdir(tmp_path) == []
