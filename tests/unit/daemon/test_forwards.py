"""Ports of configs are forwarded again whatever ended it, and until then the status says why they are not."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.daemon import forwards as module
from sandboxd.daemon.forwards import Forwards
from sandboxd.errors import EnvironmentFailure
from sandboxd.forward import local
from sandboxd.model.remote import Port
from sandboxd.policy.rights import PortRight, PortRights
from tests.patience import PATIENCE, eventually
from tests.ports import free_port


class Forwarder:
    """One that ends as the test says, and then holds until it is stopped."""

    ends: list[Exception]
    running: list[Forwarder]

    def __init__(self, *arguments: Any) -> None:
        self._ports = arguments[2]
        self._stopped = threading.Event()
        self.problem = ""

    def run(self) -> None:
        self.running.append(self)
        if self.ends:
            raise self.ends.pop(0)
        self._stopped.wait(PATIENCE)

    def stop(self) -> None:
        self._stopped.set()

    def close(self) -> None:
        for port in self._ports:
            port.listener.close()


Begin = Callable[..., Forwards]


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Opens ports of a sandbox; they are closed with the test."""
    monkeypatch.setattr(module, "Forwarder", Forwarder)
    monkeypatch.setattr(Forwarder, "ends", [], raising=False)
    monkeypatch.setattr(Forwarder, "running", [], raising=False)
    opened: list[Forwards] = []

    def open_ports(*ports: Port, before: Forwards | None = None) -> Forwards:
        engine: Any = None
        rights = PortRights("c1", tuple(map(PortRight, ports)))
        opened.append(Forwards("/ws", engine, rights, None, before))
        return opened[-1]

    yield open_ports
    for each in opened:
        each.stop()
        each.thread.join(PATIENCE)
        assert not each.thread.is_alive()


@pytest.fixture
def free() -> Iterator[Port]:
    with free_port() as number:
        yield Port(number)


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (ValueError("a lie"), "a fault of sandboxd (`ValueError`), which is in its log"),
        (EnvironmentFailure("no Python inside"), "no Python inside"),
    ],
)
def test_what_ended_it_is_shown_and_it_begins_again(
    begin: Begin,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    free: Port,
    end: Exception,
    words: str,
) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 0.01)
    caplog.set_level(logging.INFO)
    Forwarder.ends.append(end)
    forwards = begin(free)
    eventually(lambda: len(Forwarder.running) == 2)
    # The second one carries nothing yet.
    assert forwards.lines() == (f"not forwarded: {words}",)
    assert "ports of `/ws` are not forwarded" in caplog.text
    assert str(end) in caplog.text
    Forwarder.running[-1].problem = ""
    assert forwards.lines()[0].startswith(("2", "3"))


def test_each_pause_is_longer_than_the_one_before(
    begin: Begin, free: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    def wait(event: threading.Event, seconds: float | None = None) -> bool:
        pauses.append(seconds or 0)
        return event.is_set()

    ends: list[Exception] = [ValueError(str(number)) for number in range(12)]
    Forwarder.ends.extend(ends)
    monkeypatch.setattr(module, "threading", SimpleNamespace(
        Event=type("Event", (threading.Event,), {"wait": wait}),
        Lock=threading.Lock,
        Thread=threading.Thread,
    ))  # fmt: skip
    begin(free)
    eventually(lambda: len(Forwarder.running) == 13)
    assert pauses == [min(2.0**number, 300.0) for number in range(12)]


def test_nobody_waits_for_a_pause_to_end(begin: Begin, free: Port) -> None:
    Forwarder.ends.append(ValueError())
    forwards = begin(free)
    eventually(lambda: forwards.lines()[:1] and "not" in forwards.lines()[0])
    forwards.stop()
    forwards.thread.join(PATIENCE)
    assert not forwards.thread.is_alive()


def test_what_opens_a_port_again_waits_for_the_one_that_has_it(begin: Begin, free: Port) -> None:
    port = free._replace(needs_same=True)
    first = begin(port)
    eventually(lambda: first.has_tried((port,)))
    first.stop()
    second = begin(port, before=first)
    eventually(lambda: second.has_tried((port,)))
    assert second.lines() == (f"{port.number}: http://127.0.0.1:{port.number}",)


def test_each_port_has_its_address_or_why_it_has_none(begin: Begin, free: Port) -> None:
    with local.listen(module.Wish(20000, 20000, False, "")) as taken:
        port = free._replace(label="Web")
        number = taken.getsockname()[1]
        own = (port, Port(80, here=number, needs_same=True))
        forwards = begin(*own)
        eventually(lambda: forwards.has_tried(own))
        first, second = forwards.lines()
    assert first == f"{port.number} (Web): http://127.0.0.1:{port.number}"
    assert second.startswith(f"80:{number}: port `{number}` of this machine is taken")
