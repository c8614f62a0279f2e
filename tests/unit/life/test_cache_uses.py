"""Which cache was used last is counted, so no clock decides which one goes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from sandboxd.life import cache_uses
from sandboxd.life.cache_uses import DAY_SECONDS, Measured


def order() -> list[str]:
    noted = cache_uses.recall(os.environ).order
    return sorted(noted, key=lambda name: noted[name])


def file() -> Path:
    return Path(os.environ["XDG_STATE_HOME"]) / "sandboxd/caches.json"


def test_the_last_use_counts() -> None:
    for names in (["a"], ["b"], ["c"], ["a"]):
        cache_uses.note_use(os.environ, names)
    assert order() == ["b", "c", "a"]
    assert stat.S_IMODE(file().stat().st_mode) == 0o600


def test_a_use_that_is_the_last_one_already_writes_nothing() -> None:
    cache_uses.note_use(os.environ, ["a"])
    before = file().stat().st_ino
    cache_uses.note_use(os.environ, ["a"])
    cache_uses.note_use(os.environ, [])
    assert file().stat().st_ino == before


@pytest.mark.parametrize("text", ["", "[]", "{", '{"order": 1}', '{"order": {"a": "x"}}'])
def test_what_is_no_note_is_none(text: str) -> None:
    file().parent.mkdir(parents=True)
    file().write_text(text)
    assert cache_uses.recall(os.environ) == cache_uses.NOTHING
    cache_uses.note_use(os.environ, ["a"])
    assert order() == ["a"]


def test_a_folder_that_cannot_be_written_stops_no_start(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    environ = {"XDG_STATE_HOME": str(tmp_path / "state")}
    cache_uses.note_use(environ, ["a"])
    assert cache_uses.recall(environ) == cache_uses.NOTHING


@pytest.mark.parametrize(
    ("now", "recent"), [(100.0, True), (99.0, False), (100 + DAY_SECONDS, False)]
)
def test_a_measurement_counts_for_a_day_of_a_clock_that_goes_on(now: float, recent: bool) -> None:
    assert Measured(100.0, 1).is_recent(now) is recent


def test_each_engine_is_measured_by_itself() -> None:
    cache_uses.note_size(os.environ, "unix:///one", Measured(1.0, 10))
    cache_uses.note_use(os.environ, ["a"])
    cache_uses.note_size(os.environ, "unix:///two", Measured(2.0, 20))
    assert cache_uses.recall(os.environ).measured == {
        "unix:///one": (1.0, 10),
        "unix:///two": (2.0, 20),
    }
