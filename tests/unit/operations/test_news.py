"""A downgrade is news once: not before it was told, and not again until it was away."""

from __future__ import annotations

import os
from pathlib import Path

from sandboxd.operations._news import news
from sandboxd.plan.reasons import Downgrade

ONE, OTHER = Downgrade("seccomp", "no filter"), Downgrade("network", "open", "close it")


def test_what_the_last_start_had_is_no_news(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    assert news(environ, "/w", (ONE,)) == (ONE,)
    assert news(environ, "/w", (ONE,)) == ()
    assert news(environ, "/w", (ONE, OTHER)) == (OTHER,)
    assert news(environ, "/w", (OTHER,)) == ()
    assert news(environ, "/w", (ONE, OTHER)) == (ONE,), "it was away"


def test_each_project_has_its_own(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    assert news(environ, "/w", (ONE,)) == news(environ, "/v", (ONE,)) == (ONE,)


def test_another_reason_is_news(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    news(environ, "/w", (ONE,))
    worse = ONE._replace(why="no filter at all")
    assert news(environ, "/w", (worse,)) == (worse,)


def test_what_cannot_be_read_or_written_makes_all_of_it_news(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    news(environ, "/w", (ONE,))
    (record,) = tmp_path.rglob("*.json")
    record.write_text("[1, 2")
    assert news(environ, "/w", (ONE,)) == (ONE,)
    assert news(environ, "/w", (ONE,)) == (), "it was written anew"
    os.unlink(record)
    record.mkdir()
    assert news(environ, "/w", (ONE,)) == (ONE,)
