"""What a reporter says of a folder is what a look at it says, at first and after any change."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from random import Random

import pytest

from sandboxd.sync.inside import Watches
from sandboxd.sync.reported import Signal
from sandboxd.sync.scan import Limits, scan
from sandboxd.sync.state import FOLDER, Entry, Snapshot
from tests.unit.sync.playing import Played, excludes


def scanned(folder: Path, limits: Limits | None = None) -> Snapshot:
    root = os.open(folder, os.O_RDONLY)
    try:
        return scan(root, excludes, None, limits)._replace(began=0)
    finally:
        os.close(root)


def same(reported: Snapshot, looked: Snapshot) -> bool:
    return _plain(reported) == _plain(looked)


def _plain(snapshot: Snapshot) -> Snapshot:
    """Without what a change in a folder does to the folder's own entry."""
    entries = {
        path: Entry(FOLDER, inode=entry.inode) if entry.is_folder else entry
        for path, entry in snapshot.entries.items()
    }
    leftovers = tuple(sorted(snapshot.leftovers))
    return snapshot._replace(entries=entries, leftovers=leftovers, news=None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    (work / "d/e").mkdir(parents=True)
    (work / "d/run").write_bytes(b"x")
    (work / "d/run").chmod(0o755)
    (work / "d/e/empty").touch()
    (work / "link").symlink_to("/etc")
    (work / os.fsdecode(b"\xff")).write_bytes(b"odd")
    os.mkfifo(work / "pipe")
    (work / "no/a").mkdir(parents=True)
    (work / ".sandboxd-sync-0123").touch()
    return work


def test_it_says_what_a_look_says(folder: Path) -> None:
    reported = Played(folder).look()
    assert same(reported, scanned(folder))
    assert {"d/e/empty", "link", "\udcff"} <= reported.entries.keys()


def test_nothing_that_is_excluded_is_asked_of(folder: Path) -> None:
    played = Played(folder)
    played.look()
    assert b"no" not in played.asked
    assert b"d/e" in played.asked


def test_each_change_is_told_by_itself(folder: Path) -> None:
    """And nothing else is asked again."""
    played = Played(folder)
    played.look()
    for change in (
        lambda: (folder / "d/run").write_bytes(b"yy"),
        lambda: (folder / "d/run").chmod(0o644),
        lambda: (folder / "d/new").mkdir(),
        lambda: (folder / "d/new/file").write_bytes(b"1"),
        lambda: (folder / "d").rename(folder / "moved"),
        lambda: (folder / "moved/new/file").write_bytes(b"2"),
        lambda: (folder / "moved/e/empty").unlink(),
        lambda: (folder / "link").unlink(),
        lambda: (folder / "moved").rename(folder / "d"),
        lambda: shutil.rmtree(folder / "d/new"),
        lambda: (folder / "d/e").rename(folder.parent / "away"),
    ):
        played.asked.clear()
        change()
        assert Signal.CHANGED in played.rest()
        assert same(played.reported.snapshot(), scanned(folder))
    assert b"\xff" not in bytes(played.asked)


def test_a_folder_in_the_place_of_another_one(folder: Path) -> None:
    played = Played(folder)
    played.look()
    (folder / "other").mkdir()
    (folder / "other/run").write_bytes(b"z")
    (folder / "d").rename(folder / "old")
    (folder / "other").rename(folder / "d")
    (folder / "old/e/empty").write_bytes(b"not empty")
    assert same(played.look(), scanned(folder))
    (folder / "d/run").write_bytes(b"zz")
    (folder / "old/e/empty").write_bytes(b"again")
    assert same(played.look(), scanned(folder))


def test_lost_events_have_everything_looked_at_and_that_is_said(folder: Path) -> None:
    class Losing(Watches):
        is_losing = False

        def read(self) -> tuple[list[str], bool]:
            changed, is_lost = super().read()
            return ([], True) if self.is_losing else (changed, is_lost)

    watches = Losing()
    played = Played(folder, watches=watches)
    played.look()
    (folder / "d/e/empty").write_bytes(b"1")
    (folder / "d/run").unlink()
    watches.is_losing = True
    signals = played.step()
    watches.is_losing = False
    signals |= played.rest()
    assert signals == {Signal.LOST}
    assert same(played.reported.snapshot(), scanned(folder))


def test_a_queue_of_events_that_is_full_is_told(tmp_path: Path) -> None:
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    played = Played(tmp_path)
    played.look()
    # Two that alternate: an event that is equal to the last one of the queue is left out.
    for name in "ab":
        (tmp_path / name).touch()
    descriptors = [os.open(tmp_path / name, os.O_WRONLY) for name in "ab"]
    for number in range(limit + 10):
        os.write(descriptors[number % 2], b"x")
    for descriptor in descriptors:
        os.close(descriptor)
    assert Signal.LOST in played.rest()
    assert same(played.reported.snapshot(), scanned(tmp_path))


def test_a_folder_without_events_is_told_and_looked_at_when_that_is_wanted(folder: Path) -> None:
    class Refusing(Watches):
        def watch(self, descriptor: int, path: str) -> bool:
            return False

    played = Played(folder, watches=Refusing())
    assert played.rest() == {Signal.UNWATCHED}
    (folder / "d/run").write_bytes(b"yy")
    (folder / "d/e/f").mkdir()
    played.reported.look_again()
    assert same(played.look(), scanned(folder))


def test_what_did_not_change_is_not_read_again(folder: Path) -> None:
    played = Played(folder)
    played.look()
    # As long ago as the clock needs to tell the next change.
    tree = played.reported._tree
    assert tree is not None
    tree._began = dict.fromkeys(tree._began, 1 << 62)
    played.asked.clear()
    played.reported.look_again()
    played.look()
    assert b"d/e" in played.asked
    assert b"d/run" not in played.asked
    # Written as it was looked at: its times say nothing.
    tree._began = dict.fromkeys(tree._began, 0)
    played.reported.look_again()
    played.look()
    assert b"d/run" in played.asked


def test_a_file_is_read_as_far_as_it_is_wanted(folder: Path) -> None:
    (folder / "large").write_bytes(bytes(range(256)) * 1000)
    played = Played(folder)
    played.look()
    whole, part, none = (
        played.reported.read("large", 256_000),
        played.reported.read("large", 70_000),
        played.reported.read("d", 10),
    )
    assert whole.code is None
    played.rest()
    assert b"".join(whole.take()) == (folder / "large").read_bytes()
    assert b"".join(part.take()) == (folder / "large").read_bytes()[:70_000]
    assert whole.code == part.code == 0
    assert (none.take(), bool(none.code)) == ([], True)


def test_no_link_is_followed(folder: Path) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "treasure").write_text("treasure")
    played = Played(folder)
    played.look()
    shutil.rmtree(folder / "d")
    (folder / "d").symlink_to(outside)
    reading = played.reported.read("d/treasure", 100)
    assert same(played.look(), scanned(folder))
    assert (reading.take(), bool(reading.code)) == ([], True)


def test_a_folder_that_is_gone_is_no_empty_one(folder: Path, tmp_path: Path) -> None:
    played = Played(folder)
    with pytest.raises(FileNotFoundError):
        played.reported.snapshot()
    root = played.reporter._root
    played.look()
    os.dup2(os.open(tmp_path / "work/link", os.O_PATH | os.O_NOFOLLOW), root)
    played.reported.look_again()
    played.rest()
    with pytest.raises(FileNotFoundError, match="not a directory"):
        played.reported.snapshot()


def test_its_bounds(tmp_path: Path) -> None:
    work = tmp_path / "work"
    (work / "d/d/d/d").mkdir(parents=True)
    (work / "large").write_bytes(b"12345")
    limits = Limits(entries=20, depth=3, size=4)
    played = Played(work, limits=limits)
    assert same(played.look(), scanned(work, limits))
    for number in range(30):
        (work / f"f{number}").touch()
    assert not played.look().is_whole
    for number in range(30):
        (work / f"f{number}").unlink()
    (work / "d/new").mkdir()
    (work / "d/new/f").touch()
    assert same(played.look(), scanned(work, limits))
    assert played.reported.snapshot().is_whole


@pytest.mark.parametrize("seed", range(6))
def test_after_any_changes_it_says_what_a_look_says(tmp_path: Path, seed: int) -> None:
    """In any order with what is asked and answered."""
    work = tmp_path / "work"
    work.mkdir()
    random, played = Random(seed), Played(work)
    for _ in range(150):
        _change(random, work, tmp_path)
        if random.random() < 0.5:
            played.step()
        if random.random() < 0.1:
            played.reported.look_again()
        if random.random() < 0.2:
            assert same(played.look(), scanned(work))
    assert same(played.look(), scanned(work))


def _change(random: Random, work: Path, base: Path) -> None:
    paths = sorted(work.rglob("*"))
    folders = [work, *(path for path in paths if path.is_dir() and not path.is_symlink())]
    place = random.choice(folders) / random.choice(("a", "b", "cc", "no"))
    try:
        match random.randrange(6):
            case 0 | 1:
                place.write_text(str(random.random()))
            case 2:
                place.mkdir()
            case 3:
                place.symlink_to(random.choice("ab"))
            case 4:
                random.choice(paths or [work / "x"]).rename(random.choice([place, base / "away"]))
            case 5:
                path = random.choice(paths or [work / "x"])
                shutil.rmtree(path) if path in folders else path.unlink()
    except OSError:
        pass
