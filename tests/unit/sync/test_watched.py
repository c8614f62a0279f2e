"""The host's side by events has what a look at the whole folder has, and is heard when something changes."""

from __future__ import annotations

import mmap
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.sync.engine import SWEEP_SECONDS, Changed, Deaf, Event
from sandboxd.sync.flows import Policy
from sandboxd.sync.inside import Watches
from sandboxd.sync.retention import Retention
from sandboxd.sync.run import Rest, keep_the_same
from sandboxd.sync.steps import Side
from sandboxd.sync.watched import WatchedSide
from tests.patience import eventually
from tests.unit.sync.pair import Folders, texts
from tests.unit.sync.test_reported import same, scanned


def excludes(path: str, is_folder: bool) -> bool:
    return path.rpartition("/")[2] == "no"


class Watched:
    """The folder `path`, its side, and the events of that."""

    def __init__(self, base: Path) -> None:
        self.path = base / "host"
        self.path.mkdir()
        self.events: list[Event] = []
        self.side = WatchedSide(str(self.path), Retention(str(base / "kept")), self.events.append)

    def is_as_scanned(self) -> bool:
        return same(self.side.scan(excludes)._replace(began=0), scanned(self.path))


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path)
    yield watched
    watched.side.hearing.end()
    watched.side.close()


def test_a_look_has_what_a_whole_look_has(watched: Watched) -> None:
    folder = watched.path
    assert watched.is_as_scanned()
    (folder / "d/e").mkdir(parents=True)
    (folder / "d/e/file").write_text("text")
    (folder / "no").mkdir()
    (folder / "link").symlink_to("d")
    assert watched.is_as_scanned()
    (folder / "d/e/file").write_text("TEXT")
    (folder / "d").rename(folder / "moved")
    assert watched.is_as_scanned()
    (folder / "moved/e/file").chmod(0o755)
    shutil.rmtree(folder / "no")
    (folder / "link").unlink()
    assert watched.is_as_scanned()
    assert watched.events == []


def test_only_what_changed_is_read(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(50):
        (watched.path / f"d{number}").mkdir()
    watched.side.scan(excludes)
    listed: list[object] = []
    scandir = os.scandir

    def count(folder: int) -> object:
        listed.append(folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", count)
    watched.side.scan(excludes)
    assert listed == []
    (watched.path / "d7/file").write_text("text")
    assert "d7/file" in watched.side.scan(excludes).entries
    # The folder, and the one above, whose entry of it changed.
    assert 1 <= len(listed) <= 2


def test_other_paths_are_excluded_from_the_next_look_on(watched: Watched) -> None:
    (watched.path / "no").write_text("text")
    assert "no" in watched.side.scan(excludes).excluded
    policy = Policy()
    assert "no" in watched.side.scan(policy.excludes).entries


def test_a_folder_in_its_place_has_another_identity(watched: Watched) -> None:
    (watched.path / "file").write_text("text")
    before = watched.side.scan(excludes)
    watched.path.rename(watched.path.parent / "away")
    with pytest.raises(FileNotFoundError):
        watched.side.scan(excludes)
    watched.path.mkdir()
    (watched.path / "other").write_text("text")
    after = watched.side.scan(excludes)
    assert after.root != before.root
    assert after.entries.keys() == {"other"}
    assert watched.is_as_scanned()


def test_without_events_everything_is_looked_at_each_time(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Watches, "watch", lambda *_: False)
    (watched.path / "d").mkdir()
    watched.side.scan(excludes)
    assert watched.events == [Deaf(Side.HOST, True)]
    (watched.path / "d/file").write_text("text")
    assert watched.is_as_scanned()
    assert len(watched.events) == 1


def test_a_system_that_gives_no_events_at_all(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_self: Watches) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(Watches, "__init__", fail)
    assert watched.is_as_scanned()
    assert watched.events == [Deaf(Side.HOST, True)]
    (watched.path / "file").write_text("text")
    assert watched.is_as_scanned()


def test_a_change_without_an_event_is_seen_in_time(tmp_path: Path) -> None:
    """As one is that a program makes in mapped memory."""
    path, now = tmp_path / "file", [0.0]
    path.write_bytes(b"before")
    side = WatchedSide(
        str(tmp_path), Retention(str(tmp_path / "no")), lambda _event: None, lambda: now[0]
    )
    before = side.scan(excludes).entries["file"]
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[:] = b"behind"
        mapped.flush()
        assert side.scan(excludes).entries["file"] == before
        now[0] += SWEEP_SECONDS
        assert side.scan(excludes).entries["file"].content != before.content
    side.close()


def test_a_change_is_heard_once_until_the_next_look(watched: Watched) -> None:
    watched.side.scan(excludes)
    listener = threading.Thread(target=watched.side.hearing.run)
    listener.start()
    try:
        for number in range(3):
            (watched.path / f"f{number}").write_text("text")
            (watched.path / f"f{number}").write_text("more")
            eventually(lambda number=number: len(watched.events) == number + 1)
            assert watched.is_as_scanned()
    finally:
        watched.side.hearing.end()
        listener.join()
    assert watched.events == [Changed(Side.HOST)] * 3


def test_what_comes_from_inside_is_written_by_it(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    pair = folders.pair()
    host = WatchedSide(str(folders.host), folders.retention, lambda _event: None)
    (folders.host / "file").write_text("text")
    (folders.inside / "new").write_text("new")
    (folders.inside / ".envrc").write_text("acts")
    report = keep_the_same(host, pair.inside, pair.journal, pair.policies)
    assert report.rest is Rest.SAME
    (folders.inside / "file").write_text("edited")
    assert keep_the_same(host, pair.inside, pair.journal, pair.policies).rest is Rest.SAME
    assert texts(folders.host) == {"file": "edited", "new": "new"}
    assert folders.retained() == ["text"]
    host.close()
