"""A session hears of what changes on the host, also in folders that came and went meanwhile."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.daemon import host_events
from sandboxd.daemon.host_events import HostEvents
from sandboxd.sync.engine import Ask, Changed, Deaf, Say, Show
from sandboxd.sync.flows import Policy
from sandboxd.sync.journal import Journal
from sandboxd.sync.local import LocalSide
from sandboxd.sync.retention import Retention
from sandboxd.sync.session import Pair, Session
from sandboxd.sync.steps import Side
from tests.patience import eventually


class Running:
    """A session in a thread of its own, of `host` and `inside`, which hears of the host alone."""

    def __init__(self, base: Path) -> None:
        self.host, self.inside = base / "host", base / "inside"
        for folder in (self.host, self.inside):
            folder.mkdir()
        own = base / "own"
        retentions = (Retention(str(own / "host")), Retention(str(own / "inside")))
        self._side = LocalSide(str(self.host), retentions[0], is_host=True)
        pair = Pair(
            self._side,
            LocalSide(str(self.inside), retentions[1], is_host=False),
            Journal(str(own / "journal")),
            Policy(is_ignored=lambda path, is_folder: is_folder and path == "node_modules"),
        )
        self.session = Session(pair, self._tell)
        self.events: list[Changed | Deaf] = []
        self.host_events = HostEvents(str(self.host), self._put)
        self._thread = threading.Thread(target=self.session.run)
        self._thread.start()

    def _put(self, event: Changed | Deaf) -> None:
        self.events.append(event)
        self.session.put(event)

    def _tell(self, notice: Ask | Say | Show) -> None:
        if isinstance(notice, Show):
            self.host_events.follow(self._side.folders())

    def has(self, path: str, text: str) -> bool:
        """Wait until the other side has it."""
        file = self.inside / path
        return eventually(lambda: file.is_file() and file.read_text() == text)

    def end(self) -> None:
        self.session.end()
        self._thread.join()
        self.host_events.close()


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    # A look for its own sake would find what no event told.
    monkeypatch.setattr("sandboxd.sync.engine.SWEEP_SECONDS", 3600.0)
    running = Running(tmp_path)
    yield running
    running.end()


def test_each_save_is_heard_of(running: Running) -> None:
    (running.host / "a").write_text("1")
    assert running.has("a", "1")
    (running.host / "a").write_text("2")
    assert running.has("a", "2")
    (running.host / "b").write_text("3")
    (running.host / "b").rename(running.host / "a")
    assert running.has("a", "3")


def test_folders_that_came_are_listened_to(running: Running) -> None:
    (running.host / "d/e").mkdir(parents=True)
    (running.host / "d/e/f").write_text("1")
    assert running.has("d/e/f", "1")
    (running.host / "d/e/f").write_text("2")
    assert running.has("d/e/f", "2")


def test_a_folder_that_took_the_place_of_another_is_listened_to(running: Running) -> None:
    for text in ("1", "2", "3"):
        (running.host / "d").mkdir()
        (running.host / "d/f").write_text(text)
        assert running.has("d/f", text)
        (running.host / "d/f").write_text(f"{text} again")
        assert running.has("d/f", f"{text} again")
        shutil.rmtree(running.host / "d")


def test_where_there_are_no_events_it_is_looked_at_from_time_to_time(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_events, "networked_now", lambda paths: set(paths))
    (running.host / "d").mkdir()
    eventually(lambda: Deaf(Side.HOST, True) in running.events)
    (running.host / "d/f").write_text("1")
    assert running.has("d/f", "1")
    monkeypatch.setattr(host_events, "networked_now", lambda paths: set())
    eventually(lambda: Deaf(Side.HOST, False) in running.events)
    (running.host / "d/f").write_text("2")
    assert running.has("d/f", "2")


def test_a_name_that_the_library_cannot_be_given_is_no_end(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_events, "_RETRY_SECONDS", 0.0)
    odd = running.host / os.fsdecode(b"\xff")
    odd.mkdir()
    (odd / "f").write_text("1")
    assert running.has(os.fsdecode(b"\xff/f"), "1")
    (odd / "f").write_text("2")
    assert running.has(os.fsdecode(b"\xff/f"), "2")


def test_what_stays_apart_is_not_listened_to(running: Running) -> None:
    (running.host / "node_modules").mkdir()
    (running.host / "a").write_text("1")
    assert running.has("a", "1")
    assert "node_modules" not in running._side.folders()
    assert running._side.folders().keys() == {""}
