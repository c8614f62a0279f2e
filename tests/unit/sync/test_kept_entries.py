"""`prune` lists what is remembered of a copy, and frees none with files that are kept unless asked to."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from sandboxd.engine.client import Engine
from sandboxd.operations import prune
from sandboxd.operations.options import PruneOptions
from sandboxd.operations.prune import kinds
from sandboxd.operations.prune.kinds import kept_files
from sandboxd.operations.request import Request
from sandboxd.sync import record
from sandboxd.sync.place import Place, place_of
from sandboxd.sync.retention import Retention


class Played:
    host = "unix:///played"

    def __init__(self) -> None:
        self.volumes: set[str] = set()

    def volume(self, name: str) -> object:
        return {"Name": name} if name in self.volumes else None


class World:
    """The state of one copy whose sandbox is down; `running` are the sandboxes that the engine has."""

    def __init__(self, base: Path) -> None:
        self.environ = {"XDG_STATE_HOME": str(base)}
        self.engine, self.running = Played(), set[str]()
        self.place: Place = place_of(self.environ, "/w")
        self.retention = Retention(self.place.retention)
        record.write(self.place, record.Record("c", "/w", "volume", (), "/w"))

    def prune(self, **options: bool) -> tuple[str, bool]:
        """State and fate of the one row."""
        sent = dict(PruneOptions(**options))
        request = Request("/", self.environ, sent, lambda: cast("Engine", self.engine))
        (row,) = prune.serve(request).rows
        assert row.name == self.place.folder and "/w" in row.about and row.size
        return row.state, row.is_freed


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path)
    monkeypatch.setattr(kinds, "_names", lambda: ["kept_files"])
    monkeypatch.setattr(kept_files, "sandboxes_of", lambda _, sandbox: {sandbox} & world.running)
    return world


def test_one_with_kept_files_is_freed_when_that_is_asked_for(world: World) -> None:
    world.retention.add("file", (b"1",))
    assert world.prune(frees=True) == ("work", False)
    assert world.prune(frees=True, with_work=True) == ("work", True)
    assert not Path(world.place.folder).exists()


def test_one_without_kept_files_is_freed_once_its_copy_is_gone(world: World) -> None:
    world.engine.volumes.add("volume")
    assert world.prune(frees=True, with_work=True) == ("in use", False)
    world.engine.volumes.clear()
    world.running.add("/w")
    assert world.prune(frees=True, with_work=True) == ("in use", False)
    world.running.clear()
    assert world.prune(frees=True) == ("unused", True)
