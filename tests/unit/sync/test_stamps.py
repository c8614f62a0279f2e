"""A later start reads the files alone that changed since, and says what a look that reads everything says."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.sync import wire
from sandboxd.sync.engine import SWEEP_SECONDS, Changed
from sandboxd.sync.flows import Policy
from sandboxd.sync.inside import Reporter, boot_id
from sandboxd.sync.local import LocalSide
from sandboxd.sync.remote import RemoteSide
from sandboxd.sync.reported import Reported
from sandboxd.sync.reported_tree import Tree, Want
from sandboxd.sync.retention import Retention
from sandboxd.sync.run import Rest
from sandboxd.sync.scan import read_entry
from sandboxd.sync.session import Clocks, Session
from sandboxd.sync.stamps import Stamp, Stamps, Work
from sandboxd.sync.state import Kind, Root, Snapshot
from sandboxd.sync.steps import Side
from sandboxd.sync.watched import WatchedSide
from tests.unit.sync.kept import ROOT, Kept
from tests.unit.sync.pair import texts
from tests.unit.sync.playing import PlayedStream
from tests.unit.sync.test_reported import same, scanned

BOOT = b"a start of the m"
HOUR = 3_600 * 1_000_000_000
POLICY = Policy()

names = st.binary(min_size=1, max_size=30).filter(lambda name: b"\0" not in name).map(os.fsdecode)
long = st.integers(-(1 << 63), (1 << 63) - 1)
many = st.integers(0, (1 << 64) - 1)
stamps_of_names = st.dictionaries(
    names,
    st.tuples(
        st.integers(0, (1 << 32) - 1), many, long, long, many, st.binary(min_size=32, max_size=32)
    ),
    min_size=1,
    max_size=20,
)


@given(stamps_of_names)
def test_what_is_saved_is_loaded(
    tmp_path_factory: pytest.TempPathFactory, stamps: dict[str, Stamp]
) -> None:
    path = str(tmp_path_factory.mktemp("own") / "stamps")
    first = Stamps(path)
    assert first.load(Root(1, 2), Root(3, 4), BOOT) == {}
    first.save(stamps)
    assert Stamps(path).load(Root(1, 2), Root(3, 4), BOOT) == stamps
    for other in (
        (Root(1, 9), Root(3, 4), BOOT),
        (Root(1, 2), Root(3, 9), BOOT),
        (Root(1, 2), Root(3, 4), BOOT[::-1]),
        (Root(1, 2), Root(3, 4), b""),
    ):
        assert Stamps(path).load(*other) == {}


@given(stamps_of_names, st.randoms(use_true_random=False))
def test_a_damaged_file_says_nothing(
    tmp_path_factory: pytest.TempPathFactory, stamps: dict[str, Stamp], chooser: random.Random
) -> None:
    path = tmp_path_factory.mktemp("own") / "stamps"
    first = Stamps(str(path))
    first.load(Root(1, 2), Root(3, 4), BOOT)
    first.save(stamps)
    data = bytearray(path.read_bytes())
    if chooser.random() < 0.5:
        data = data[: chooser.randrange(len(data))]
    else:
        data[chooser.randrange(len(data))] ^= 1 << chooser.randrange(8)
    path.write_bytes(data)
    assert Stamps(str(path)).load(Root(1, 2), Root(3, 4), BOOT) == {}


def test_where_the_start_of_the_machine_is_not_known_nothing_is_saved(tmp_path: Path) -> None:
    stamps = Stamps(str(tmp_path / "stamps"))
    stamps.load(Root(1, 2), Root(1, 2), b"")
    stamps.save({"a": (0, 0, 0, 0, 0, bytes(32))})
    assert os.listdir(tmp_path) == []


def test_a_large_file_is_as_much_work_as_many_small_ones() -> None:
    work = Work()
    for _ in range(20):
        work.note(100)
    assert not work.is_worth_saving(20)
    work.note(1 << 30)
    assert work.is_worth_saving(100_000)


# -- sides


class Starts:
    """A folder of old files, looked at by one side after the other with the same stamps."""

    def __init__(self, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path, self.stamps = base / "side", base / "stamps"
        (self.path / "d/e").mkdir(parents=True)
        for number in range(60):
            (self.path / f"d/{number}").write_text(f"text {number}")
        (self.path / "d/e/run").write_text("#!/bin/sh\n")
        (self.path / "d/e/run").chmod(0o755)
        self._retention = Retention(str(base / "kept"))
        self._monkeypatch = monkeypatch
        self.have_passed(0)

    def have_passed(self, hours: float) -> None:
        """Have the clock of the looks be ahead of that of the files, or behind it."""
        self._monkeypatch.setattr(
            "time.time_ns", lambda: os.stat(self.stamps.parent).st_ctime_ns + int(hours * HOUR)
        )

    def look(self, kind: str) -> tuple[Snapshot, int]:
        """What a new side says, and how many files it read."""
        read: list[int] = []
        note = Work.note
        with self._monkeypatch.context() as patch:
            patch.setattr(Work, "note", lambda self, size: (read.append(size), note(self, size)))
            stamps = Stamps(str(self.stamps))
            if kind == "inside":
                stream = PlayedStream(self.path)
                side = RemoteSide(stream, ROOT, lambda _event: None, stamps=stamps)
                snapshot = side.scan(POLICY.excludes)
                side.save_stamps()
                stream.close()
                return snapshot, len(read)
            if kind == "watched":
                watched = WatchedSide(
                    str(self.path), self._retention, lambda _event: None, stamps=stamps
                )
                snapshot = watched.scan(POLICY.excludes)
                watched.save_stamps()
                watched.close()
                return snapshot, len(read)
            local = LocalSide(str(self.path), self._retention, is_host=True, stamps=stamps)
            snapshot = local.scan(POLICY.excludes)
            local.save_stamps()
            return snapshot, len(read)


@pytest.fixture
def starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Starts:
    return Starts(tmp_path, monkeypatch)


KINDS = ["watched", "local", "inside"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_later_start_reads_what_changed(starts: Starts, kind: str) -> None:
    starts.have_passed(1)
    assert starts.look(kind)[1] == 61
    snapshot, read = starts.look(kind)
    assert read == 0
    assert same(snapshot._replace(began=0, root=scanned(starts.path).root), scanned(starts.path))
    changed = starts.path / "d/7"
    status = changed.stat()
    changed.write_text("TEXT 7")
    os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))
    (starts.path / "d/8").rename(starts.path / "d/moved")
    (starts.path / "d/9").unlink()
    (starts.path / "d/e/run").chmod(0o644)
    snapshot, read = starts.look(kind)
    assert read == 3
    assert same(snapshot._replace(began=0, root=scanned(starts.path).root), scanned(starts.path))


@pytest.mark.parametrize("kind", KINDS)
def test_what_changed_within_a_tick_of_the_look_is_read_again(starts: Starts, kind: str) -> None:
    assert starts.look(kind)[1] == 61
    assert starts.look(kind)[1] == 61


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_start_of_the_machine_everything_is_read(
    starts: Starts, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts.have_passed(1)
    starts.look(kind)
    for module in ("inside", "local"):
        monkeypatch.setattr(f"sandboxd.sync.{module}.boot_id", lambda: BOOT)
    assert starts.look(kind)[1] == 61
    assert starts.look(kind)[1] == 0


@pytest.mark.parametrize("kind", ["watched", "local"])
def test_a_folder_that_replaced_it_is_read(starts: Starts, kind: str) -> None:
    starts.have_passed(1)
    starts.look(kind)
    starts.path.rename(starts.path.parent / "away")
    starts.path.mkdir()
    (starts.path.parent / "away/d").rename(starts.path / "d")
    assert starts.look(kind)[1] == 61


def test_another_policy_has_nothing_read_again(starts: Starts) -> None:
    starts.have_passed(1)
    read: list[int] = []
    side = WatchedSide(str(starts.path), Retention("/nowhere"), lambda _event: None)
    first = side.scan(POLICY.excludes)
    starts._monkeypatch.setattr(Work, "note", lambda _self, size: read.append(size))
    second = side.scan(lambda path, _is_folder: path == "d/7")
    side.close()
    assert read == []
    assert first.entries.keys() - second.entries.keys() == {"d/7"}
    assert second.entries["d/8"] == first.entries["d/8"]


def test_boots_are_told_apart() -> None:
    assert len(boot_id()) == 16
    assert boot_id() == boot_id()


# -- what a reporter that means ill gains


def test_who_lies_about_the_times_is_believed_about_its_own_copy_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that a file is as it was, and so keeps a change of its own from the host; the host's pass in."""
    kept = Kept(tmp_path)
    for number in range(60):
        (kept.host / f"f{number}").write_text(f"text {number}")
    monkeypatch.setattr("time.time_ns", lambda: os.stat(tmp_path).st_ctime_ns + HOUR)
    kept.side = RemoteSide(
        kept.stream, ROOT, kept.events.append, stamps=Stamps(f"{tmp_path}/stamps")
    )
    assert kept.keep().rest is Rest.SAME
    kept.side.save_stamps()
    assert Path(f"{tmp_path}/stamps").exists()
    old = (kept.inside / "f1").stat()
    (kept.inside / "f1").write_text("TEXT 1")
    (kept.host / "f2").write_text("by the host")
    (kept.host / "f1").write_text("by the host, too")

    class Liar(Reporter):
        def _entries(self, folder: int) -> Iterator[bytes]:
            for entry in super()._entries(folder):
                ((status, name, _),) = wire.entries_of(bytes(4) + entry)
                times = (old.st_ctime_ns, old.st_mtime_ns)
                is_lie = name == b"f1"
                yield wire.pack_entry((*status[:2], *times, *status[4:]), name) if is_lie else entry

    stream = PlayedStream(kept.inside, Liar)
    kept.side = RemoteSide(stream, ROOT, kept.events.append, stamps=Stamps(f"{tmp_path}/stamps"))
    report = kept.keep()
    assert [skip.step.path for skip in report.skips] == ["f1"]
    assert texts(kept.host)["f1"] == "by the host, too"
    assert texts(kept.inside)["f1"] == "TEXT 1"
    assert texts(kept.inside)["f2"] == "by the host"


def test_a_lie_in_its_answers_is_no_stamp_of_another_copy(tmp_path: Path) -> None:
    loads: list[tuple[Root, bytes]] = []

    def load(root: Root, boot: bytes) -> dict[str, Stamp]:
        loads.append((root, boot))
        return {}

    reported = Reported(lambda _path, _is_folder: False, None, load)
    reported.take(wire.pack(wire.HELLO, wire.HELLO_HEAD.pack(wire.VERSION, 5, 6, bytes(16))))
    assert loads == [(Root(5, 6), b"")]


def test_a_stamp_is_what_a_reading_says(starts: Starts) -> None:
    starts.have_passed(1)
    starts.look("watched")
    status = starts.path.stat()
    root = Root(status.st_dev, status.st_ino)
    stamps = Stamps(str(starts.stamps)).load(root, root, boot_id())
    assert len(stamps) == 61
    folder = os.open(starts.path / "d", os.O_RDONLY)
    try:
        for path, stamp in stamps.items():
            entry = read_entry(folder, path.removeprefix("d/"), stamp[1])
            assert entry is not None
            assert entry.content.kind is Kind.FILE
            assert stamp == (*entry[1:], bytes.fromhex(entry.content.text))
    finally:
        os.close(folder)


def test_what_cannot_be_saved_is_no_failure(starts: Starts) -> None:
    starts.have_passed(1)
    starts.stamps.mkdir()
    (starts.stamps / "in the way").touch()
    assert starts.look("watched")[1] == 61
    assert starts.look("watched")[1] == 61


def test_a_session_saves_after_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept(tmp_path)
    for number in range(60):
        (kept.host / f"f{number}").write_text(f"text {number}")
    monkeypatch.setattr("time.time_ns", lambda: os.stat(tmp_path).st_ctime_ns + HOUR)
    stamps = Stamps(f"{tmp_path}/stamps")
    host = LocalSide(str(kept.host), kept.folders.retention, is_host=True, stamps=stamps)
    pair = kept.folders.pair()._replace(host=host, inside=kept.side)
    now = [0.0]
    session = Session(pair, lambda _news: None, Clocks(lambda: now[0], lambda: now[0]))
    session.put(Changed(Side.HOST))
    now[0] += SWEEP_SECONDS
    session.turn()
    status = kept.host.stat()
    root = Root(status.st_dev, status.st_ino)
    assert len(Stamps(f"{tmp_path}/stamps").load(root, root, boot_id())) == 60


@pytest.mark.parametrize("is_settled", [True, False])
def test_a_file_that_was_written_inside_is_read_again_if_it_is_not_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_settled: bool
) -> None:
    """Whoever saves there in the tick of its arrival leaves it with the same times."""
    kept = Kept(tmp_path)
    for number in range(60):
        (kept.host / f"f{number}").write_text(f"text {number}")
    ahead = HOUR if is_settled else 0
    monkeypatch.setattr("time.time_ns", lambda: os.stat(kept.inside).st_ctime_ns + ahead)
    read: list[str] = []
    put_file = Tree.put_file

    def note(tree: Tree, want: Want, status: tuple[int, ...], digest: bytes) -> None:
        read.append(want.path)
        put_file(tree, want, status, digest)

    monkeypatch.setattr(Tree, "put_file", note)
    assert kept.keep().rest is Rest.SAME
    assert kept.is_same()
    assert bool(read) is not is_settled
