"""The daemon looks at caches after a start, once a day, and never while something is asked of it."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from sandboxd.daemon import caches
from sandboxd.daemon.caches import Caches
from sandboxd.daemon.projects import EngineKey
from sandboxd.engine.failures import NoAnswer
from sandboxd.life.cache_bound import Bounded

KEY = EngineKey(None, None)


class Hosts:
    def environ(self, _key: EngineKey) -> dict[str, str]:
        return dict(os.environ)

    def engine(self, _key: EngineKey) -> object:
        return self


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bounds by which was looked; a look is due until there was one."""
    bounds: list[int] = []

    def keep_within(_engine: object, _environ: object, bound: int) -> Bounded:
        bounds.append(bound)
        return Bounded(1, ("sandboxd-caches-x",))

    monkeypatch.setattr(caches.cache_bound, "is_due", lambda *_: not bounds)
    monkeypatch.setattr(caches.cache_bound, "keep_within", keep_within)
    return bounds


async def look(is_busy: bool = False, times: int = 1) -> None:
    played: Any = Hosts()
    own = Caches(played, lambda: is_busy)
    for _ in range(times):
        own.look_soon(KEY, 0)
    while own._waiting:
        await asyncio.sleep(0)
    await own.close()


def test_one_look_for_many_starts(looks: list[int]) -> None:
    asyncio.run(look(times=5))
    asyncio.run(look())
    assert looks == [20 << 30]


def test_none_while_an_operation_runs(looks: list[int]) -> None:
    asyncio.run(look(is_busy=True))
    assert looks == []


def test_an_engine_that_does_not_answer_is_in_the_log(
    looks: list[int], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def silent(*_: object) -> Bounded:
        raise NoAnswer("the engine does not answer", "start it")

    monkeypatch.setattr(caches.cache_bound, "keep_within", silent)
    asyncio.run(look())
    assert "caches of packages were not looked at: the engine does not answer" in caplog.text
