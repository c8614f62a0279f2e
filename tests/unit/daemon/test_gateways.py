"""All gateways learn of each address that comes to this machine while they run."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from sandboxd.daemon import gateways
from sandboxd.daemon.gateway_memory import Memory
from sandboxd.daemon.gateways import Gateways
from sandboxd.daemon.places import Place
from sandboxd.daemon.projects import EngineKey
from sandboxd.egress.broker_wire import Credentials


class Attended:
    """Notes that it was given the policy anew."""

    refreshed: threading.Semaphore

    def __init__(self, _workspace: str, _access: object, memory: Memory, *_: object) -> None:
        self.memory = memory
        self.refreshed = threading.Semaphore(0)
        ATTENDED.append(self)

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def is_alive(self) -> bool:
        return True

    def wake(self) -> None:
        self.refreshed.release()


ATTENDED: list[Attended] = []


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    ATTENDED.clear()
    monkeypatch.setattr(gateways, "Attendant", Attended)
    monkeypatch.setattr(gateways, "ADDRESSES_SECONDS", 0.01)


def test_a_new_address_of_the_machine_is_told_to_every_gateway(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asyncio.run(new_address(monkeypatch))


async def new_address(monkeypatch: pytest.MonkeyPatch) -> None:
    present = {"192.0.2.1"}
    looks = asyncio.Semaphore(0)

    def of_process() -> frozenset[str]:
        looks.release()
        return frozenset(present)

    monkeypatch.setattr(gateways.addresses, "of_process", of_process)
    every = Gateways(Any, lambda _event: None)  # type: ignore[arg-type]
    key: Any = object()
    try:
        every.update(Place("one", "/one"), key, "c1")
        every.update(Place("one", "/two"), key, "c2")
        for _ in range(4):
            await asyncio.wait_for(looks.acquire(), 30)
        assert not any(each.refreshed.acquire(blocking=False) for each in ATTENDED)
        present.add("198.51.100.7")
        for each in ATTENDED:
            assert await asyncio.to_thread(each.refreshed.acquire, timeout=30)
        for _ in range(4):
            await asyncio.wait_for(looks.acquire(), 30)
        assert not any(each.refreshed.acquire(blocking=False) for each in ATTENDED), (
            "once is enough"
        )
    finally:
        every.close()


def test_nobody_looks_while_there_is_no_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(no_gateway(monkeypatch))


async def no_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    def of_process() -> frozenset[str]:
        looks.append(1)
        return frozenset()

    monkeypatch.setattr(gateways.addresses, "of_process", of_process)
    every = Gateways(Any, lambda _event: None)  # type: ignore[arg-type]
    key: Any = object()
    try:
        assert every._look is None
        every.update(Place("one", "/one"), key, "c1")
        assert every._look is not None
        every.update(Place("one", "/one"), key, "")
        while every._look is not None:
            await asyncio.sleep(0.01)
        assert len(looks) == 1, "the one at the start"
    finally:
        every.close()


def test_credentials_are_kept_for_the_next_gateway_until_they_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[str] = []
    monkeypatch.setattr(gateways, "leave_no_core", lambda: kept.append("no core"))

    async def keep() -> None:
        every = Gateways(Any, lambda _event: None)  # type: ignore[arg-type]
        key: Any = object()
        credentials = Credentials((), "PEM")
        try:
            every.keep_credentials(Place("one", "/never"), "", None)
            # Before the sandbox is known: its gateway starts after that.
            await asyncio.to_thread(every.keep_credentials, Place("one", "/one"), "c1", credentials)
            every.update(Place("one", "/one"), key, "c1")
            assert ATTENDED[-1].memory.credentials_of("c1") is credentials
            assert ATTENDED[-1].memory.credentials_of("of an editor") is None
            assert kept == ["no core"], "a crash would show them"
            every.keep_credentials(Place("one", "/one"), "", None)
            assert ATTENDED[-1].memory.credentials_of("c1") is None
        finally:
            every.close()

    asyncio.run(keep())


def test_a_sandbox_on_each_of_two_engines_has_its_own_attendant_and_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gateways, "leave_no_core", lambda: None)
    monkeypatch.setattr(gateways.addresses, "of_process", frozenset)
    first, second = Place("one", "/app"), Place("two", "/app")
    keys = EngineKey("unix:///one", None), EngineKey("unix:///two", None)

    async def follow() -> None:
        every = Gateways(Any, lambda _event: None)  # type: ignore[arg-type]
        unused: list[tuple[object, ...]] = []
        monkeypatch.setattr(every, "_submit", lambda _job, *arguments: unused.append(arguments))
        try:
            every.keep_credentials(first, "c1", Credentials((), "PEM of one"))
            every.update(first, keys[0], "c1")
            every.update(second, keys[1], "c2")
            on_first, on_second = ATTENDED
            assert on_first.memory.credentials_of("c1") == Credentials((), "PEM of one")
            assert not on_second.memory.lacks_credentials(), "they were sent to the other one"
            every.refresh("/app")
            assert all(each.refreshed.acquire(blocking=False) for each in ATTENDED)
            every.update(second, keys[1], "")
            assert unused == [("/app", keys[1], False)]
            every.refresh("/app")
            assert on_first.refreshed.acquire(blocking=False), "it is served further on"
            every.forget("/app", keys[1])
            assert {*unused[1:]} == {("/app", keys[0], True), ("/app", keys[1], True)}
        finally:
            every.close()

    asyncio.run(follow())


def test_an_attendant_goes_on_by_another_name_of_its_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gateways.addresses, "of_process", frozenset)

    async def follow() -> None:
        every = Gateways(Any, lambda _event: None)  # type: ignore[arg-type]
        place = Place("one", "/app")
        try:
            for key in (EngineKey("unix:///one", None), EngineKey(None, "one")):
                every.update(place, key, "c1")
                every.update(place, key, "c1")
            before, after = ATTENDED
            assert before.memory is after.memory
        finally:
            every.close()

    asyncio.run(follow())
