"""Ports of configs are forwarded again whatever ended it, and until then the status says why they are not."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.daemon import forwards as module
from sandboxd.daemon.forwards import Forwards
from sandboxd.daemon.projects import EngineKey
from sandboxd.errors import EnvironmentFailure
from sandboxd.forward import local
from sandboxd.model.remote import Port
from tests.patience import PATIENCE, eventually

KEY = EngineKey("unix:///nowhere/docker.sock", None)


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


@pytest.fixture
def forwards(monkeypatch: pytest.MonkeyPatch) -> Iterator[Forwards]:
    monkeypatch.setattr(module, "Forwarder", Forwarder)
    monkeypatch.setattr(Forwarder, "ends", [], raising=False)
    monkeypatch.setattr(Forwarder, "running", [], raising=False)
    hosts: Any = SimpleNamespace(
        environ=lambda _key: {"HOME": "/nowhere"}, engine=lambda _key: None
    )
    entries = Forwards(hosts)
    yield entries
    entries.close()


def free_port() -> Port:
    with local.listen(module.Wish(20000, 20000, False, "")) as listener:
        return Port(listener.getsockname()[1])


def thread_of(forwards: Forwards) -> threading.Thread:
    return forwards._projects["/ws"].thread


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (ValueError("a lie"), "a fault of sandboxd (`ValueError`), which is in its log"),
        (EnvironmentFailure("no Python inside"), "no Python inside"),
    ],
)
def test_what_ended_it_is_shown_and_it_begins_again(
    forwards: Forwards,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    end: Exception,
    words: str,
) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 0.01)
    caplog.set_level(logging.INFO)
    Forwarder.ends.append(end)
    forwards.update("/ws", KEY, (free_port(),))
    eventually(lambda: len(Forwarder.running) == 2)
    # The second one carries nothing yet.
    assert forwards.lines("/ws") == (f"not forwarded: {words}",)
    assert "ports of `/ws` are not forwarded" in caplog.text
    assert str(end) in caplog.text
    Forwarder.running[-1].problem = ""
    assert forwards.lines("/ws")[0].startswith(("2", "3"))


def test_each_pause_is_longer_than_the_one_before(
    forwards: Forwards, monkeypatch: pytest.MonkeyPatch
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
    forwards.update("/ws", KEY, (free_port(),))
    eventually(lambda: len(Forwarder.running) == 13)
    assert pauses == [min(2.0**number, 300.0) for number in range(12)]


def test_nobody_waits_for_a_pause_to_end(forwards: Forwards) -> None:
    Forwarder.ends.append(ValueError())
    forwards.update("/ws", KEY, (free_port(),))
    thread = thread_of(forwards)
    eventually(lambda: forwards.lines("/ws")[:1] and "not" in forwards.lines("/ws")[0])
    forwards.forget("/ws")
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert forwards.lines("/ws") == ()


def test_a_start_hears_where_its_ports_are_once_each_was_tried(forwards: Forwards) -> None:
    with local.listen(module.Wish(20000, 20000, False, "")) as taken:
        port = free_port()._replace(label="Web")
        number = taken.getsockname()[1]
        own = (port, Port(80, here=number, needs_same=True))
        forwards.update("/ws", KEY, own)
        first, second = forwards.wait("/ws", own)
    assert first == f"{port.number} (Web): http://127.0.0.1:{port.number}"
    assert second.startswith(f"80:{number}: port `{number}` of this machine is taken")


def test_a_start_does_not_wait_for_ever_for_ports_that_nobody_opens(
    forwards: Forwards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_OPEN_SECONDS", 0.05)
    assert forwards.wait("/ws", (Port(3000),)) == ()
