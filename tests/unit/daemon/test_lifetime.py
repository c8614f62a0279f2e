"""When the daemon ends by itself: not while a sandbox runs or a client is there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.daemon.claim import Claim, claim
from sandboxd.daemon.lifetime import Lifetime


class World:
    """Parts of a daemon; a sandbox runs, and a client is there, at as many looks as are left."""

    def __init__(self) -> None:
        self.sandbox_looks = self.client_looks = 0
        self.looks = 0
        self.projects: dict[str, object] = {}
        self.hosts = SimpleNamespace(runs_sandbox=self._runs_sandbox)
        self.watching = SimpleNamespace(active_at=0.0, watch_also=lambda *_: None)
        self.tasks = SimpleNamespace(spawn=lambda job: job.close())
        self.listens = True

    def stop_listening(self) -> None:
        """As the server's."""
        self.listens = False

    async def _runs_sandbox(self) -> bool:
        self.looks += 1
        await asyncio.sleep(0)
        return self.looks <= self.sandbox_looks

    @property
    def connections(self) -> list[str]:
        """Those of the server."""
        return ["a client"] if self.sandbox_looks < self.looks <= self.client_looks else []


@pytest.fixture
def claimed(tmp_path: Path) -> Iterator[Claim]:
    with claim(str(tmp_path / "run")) as held:
        yield held


async def live(world: Any, claimed: Claim) -> None:
    """The life of a daemon that may be idle for no time at all."""
    lifetime = Lifetime(world, editors=[], operating=[], idle_seconds=0.0)  # type: ignore[arg-type]
    await lifetime.wait(claimed, world, may_hand_over=True)
    assert lifetime.failure is None


@pytest.mark.asyncio
async def test_it_ends_where_nothing_runs(claimed: Claim) -> None:
    world = World()
    await live(world, claimed)
    assert world.looks == 1
    # Else one would be greeted by a daemon that has decided to end.
    assert not world.listens


@pytest.mark.asyncio
async def test_it_stays_while_a_sandbox_runs(claimed: Claim) -> None:
    world = World()
    world.sandbox_looks = 3
    await live(world, claimed)
    assert world.looks == 4


@pytest.mark.asyncio
async def test_who_comes_while_the_engine_is_asked_is_served(claimed: Claim) -> None:
    world = World()
    world.sandbox_looks, world.client_looks = 0, 1
    lifetime = asyncio.create_task(live(world, claimed))
    while world.looks < 1:
        await asyncio.sleep(0)
    # The client of the first look is there for good: only a second look would end it.
    for _ in range(100):
        await asyncio.sleep(0)
    assert not lifetime.done()
    world.client_looks = 0
    await lifetime
    assert world.looks == 2
