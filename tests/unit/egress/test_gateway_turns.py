"""Turns of the gateway's event loop: nobody keeps those from working that wait for one."""

from __future__ import annotations

import asyncio

import pytest

from sandboxd.egress.gateway import turns

PIECES = 30


def test_each_that_always_has_work_gets_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.002)
    done = [0, 0, 0]

    async def work(number: int, every: turns.Turns) -> None:
        while sum(done) < PIECES:
            await every.keep()
            done[number] += 1
            while not every.is_over():
                pass

    async def run() -> None:
        every = turns.Turns()
        await asyncio.gather(*(work(number, every) for number in range(len(done))))

    asyncio.run(run())
    assert min(done) >= PIECES // len(done) - 1


def test_who_gives_up_waiting_keeps_nobody_from_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.002)

    async def run() -> None:
        every = turns.Turns()
        first, second = (asyncio.create_task(every.keep()) for _ in range(2))
        while not every.is_over():
            pass
        asyncio.get_running_loop().call_soon(first.cancel)
        await second
        assert first.cancelled()

    asyncio.run(run())
