"""What was removed is in a folder of ours for seven days."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.sync.retention import Bounds, Retention
from sandboxd.sync.state import Content, Kind
from tests.unit.sync.model import file

DAY = 86400
NOW = 1000 * DAY


def put(retention: Retention, path: Path, content: Content | None) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        retention.put(folder, path.name, f"src/{path.name}", content)
    finally:
        os.close(folder)


def test_a_file_and_a_link_can_be_had_back(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "run").write_text("1")
    (work / "run").chmod(0o755)
    (work / "link").symlink_to("../a")
    retention = Retention(str(tmp_path / "own"), lambda: NOW)
    put(retention, work / "run", file("1", True))
    put(retention, work / "link", Content(Kind.LINK, "../a"))
    assert os.listdir(work) == []
    run, link = Retention(str(tmp_path / "own"), lambda: NOW + DAY).records()
    assert (run.path, run.time, run.kind, run.executable) == ("src/run", NOW, Kind.FILE, True)
    assert Path(retention.file(run)).read_text() == "1"
    assert (link.path, link.kind) == ("src/link", Kind.LINK)
    assert Path(retention.file(link)).read_text() == "../a"


def test_the_same_content_takes_no_more_room(tmp_path: Path) -> None:
    retention = Retention(str(tmp_path / "own"), lambda: NOW)
    for name in "ab":
        (tmp_path / name).write_text("1")
        put(retention, tmp_path / name, file("1"))
    assert [record.path for record in retention.records()] == ["src/a", "src/b"]
    assert len(os.listdir(tmp_path / "own/objects")) == 1


def test_what_has_another_content_than_is_known_takes_the_place_of_none(tmp_path: Path) -> None:
    """As after an edit of the same length within a tick of the clock."""
    retention = Retention(str(tmp_path / "own"), lambda: NOW)
    for text in ("1", "2", "1"):
        (tmp_path / "a").write_text(text)
        put(retention, tmp_path / "a", file("1"))
    kept = [Path(retention.file(record)).read_text() for record in retention.records()]
    assert kept == ["1", "2", "1"] and len(os.listdir(tmp_path / "own/objects")) == 2


def test_after_seven_days_it_goes(tmp_path: Path) -> None:
    retention = Retention(str(tmp_path / "own"), lambda: NOW)
    (tmp_path / "a").write_text("1")
    put(retention, tmp_path / "a", file("1"))
    assert len(Retention(str(tmp_path / "own"), lambda: NOW + 7 * DAY).records()) == 1
    assert Retention(str(tmp_path / "own"), lambda: NOW + 7 * DAY + 1).records() == ()
    assert os.listdir(tmp_path / "own/objects") == []


def test_another_name_of_a_file_keeps_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    os.link(tmp_path / "a", tmp_path / "b")
    retention = Retention(str(tmp_path / "own"), lambda: NOW)
    put(retention, tmp_path / "a", file("1"))
    (tmp_path / "b").write_text("2")
    assert Path(retention.file(retention.records()[0])).read_text() == "1"


def test_it_is_bounded(tmp_path: Path) -> None:
    retention = Retention(str(tmp_path / "own"), lambda: NOW, Bounds(bytes=10, entries=2))
    assert retention.has_room(10)
    assert not retention.has_room(11)
    for name in "ab":
        (tmp_path / name).write_text(name)
        put(retention, tmp_path / name, file(name))
    assert not retention.has_room(0)
    assert not Retention(str(tmp_path / "own"), lambda: NOW, Bounds(bytes=10, entries=2)).has_room(
        0
    )
    assert not Retention(str(tmp_path / "own"), lambda: NOW, Bounds(bytes=10, entries=9)).has_room(
        9
    )


def test_a_broken_list_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    retention = Retention(str(tmp_path / "own"), lambda: NOW)
    (tmp_path / "a").write_text("1")
    put(retention, tmp_path / "a", file("1"))
    with (tmp_path / "own/list").open("ab") as list_file:
        list_file.write(b'["../../x", 1, "../../../etc/passwd", "file", false]\n{}\n[1\n\xff')
    assert [record.path for record in retention.records()] == ["src/a"]


def test_a_file_that_was_old_when_it_came_stays_as_long(tmp_path: Path) -> None:
    """Also where the program was killed as it came."""
    (tmp_path / "a").write_text("1")
    os.utime(tmp_path / "a", (NOW - 400 * DAY, NOW - 400 * DAY))
    put(Retention(str(tmp_path / "own"), lambda: NOW), tmp_path / "a", file("1"))
    assert len(Retention(str(tmp_path / "own"), lambda: NOW + DAY).records()) == 1


def test_the_list_goes_with_what_it_says_of(tmp_path: Path) -> None:
    times = [NOW]
    retention = Retention(str(tmp_path / "own"), lambda: times[0])
    for name in "abc":
        (tmp_path / name).write_text(name)
        put(retention, tmp_path / name, file(name))
        times[0] += 3 * DAY
    (tmp_path / "own/objects" / file("b").text).unlink()
    retention.prune()
    assert [record.path for record in retention.records()] == ["src/c"]
    assert (tmp_path / "own/list").read_bytes().count(b"\n") == 1
    times[0] += 8 * DAY
    retention.prune()
    assert (tmp_path / "own/list").read_bytes() == b""
    assert os.listdir(tmp_path / "own/objects") == []


def test_what_was_removed_again_stays_seven_days_more(tmp_path: Path) -> None:
    times = [NOW]
    retention = Retention(str(tmp_path / "own"), lambda: times[0])
    for name in "ab":
        (tmp_path / name).write_text("1")
        put(retention, tmp_path / name, file("1"))
        times[0] += 6 * DAY
    retention.prune()
    (record,) = retention.records()
    assert record.path == "src/b"
    assert Path(retention.file(record)).read_text() == "1"


def test_a_clock_that_was_ahead_has_nothing_stay_for_years(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    put(Retention(str(tmp_path / "own"), lambda: NOW + 3650 * DAY), tmp_path / "a", file("1"))
    assert len(Retention(str(tmp_path / "own"), lambda: NOW).records()) == 1
    assert len(Retention(str(tmp_path / "own"), lambda: NOW + 7 * DAY).records()) == 1
    assert Retention(str(tmp_path / "own"), lambda: NOW + 8 * DAY).records() == ()


def test_the_list_is_bounded_and_there_is_room_again_once_it_went(tmp_path: Path) -> None:
    times = [NOW]
    bounds = Bounds(listed=(32 << 10) + 150)
    retention = Retention(str(tmp_path / "own"), lambda: times[0], bounds)
    for name in "ab":
        assert retention.has_room(1)
        (tmp_path / name).write_text("1")
        put(retention, tmp_path / name, file("1"))
    assert not retention.has_room(1)
    assert not Retention(str(tmp_path / "own"), lambda: NOW, bounds).has_room(1)
    times[0] += 8 * DAY
    assert retention.has_room(1)


def test_a_line_that_a_crash_left_unfinished_spoils_no_other(tmp_path: Path) -> None:
    retention = Retention(str(tmp_path / "own"), lambda: NOW)
    (tmp_path / "a").write_text("1")
    put(retention, tmp_path / "a", file("1"))
    with (tmp_path / "own/list").open("ab") as list_file:
        list_file.write(b'["src/b", 1')
    again = Retention(str(tmp_path / "own"), lambda: NOW)
    (tmp_path / "c").write_text("3")
    put(again, tmp_path / "c", file("3"))
    assert [record.path for record in again.records()] == ["src/a", "src/c"]


def test_a_file_that_is_elsewhere_is_kept(tmp_path: Path) -> None:
    retention = Retention(str(tmp_path / "kept"))
    retention.add("d/file", (b"te", b"xt"))
    (record,) = retention.records()
    assert (record.path, Path(retention.file(record)).read_bytes()) == ("d/file", b"text")
    assert not Retention(str(tmp_path / "kept"), bounds=Bounds(bytes=5)).has_room(2)


@pytest.mark.parametrize("how", ["put", "add"])
def test_what_another_process_is_keeping_stays_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A start makes a second one beside the daemon's, and prunes first."""
    retention, folder = Retention(str(tmp_path / "own")), str(tmp_path / "own")
    (tmp_path / "a").write_text("1")
    others: list[threading.Thread] = []

    def prune_now() -> None:
        others.append(threading.Thread(target=Retention, args=(folder,)))
        others[-1].start()
        others[-1].join(0.2)

    def slow() -> Iterator[bytes]:
        prune_now()
        yield b"1"

    move = Retention._move

    def pruned(*words: object) -> None:
        prune_now()
        move(*words)  # type: ignore[arg-type]

    if how == "put":
        with monkeypatch.context() as patch:
            patch.setattr(Retention, "_move", pruned)
            put(retention, tmp_path / "a", file("1"))
    else:
        retention.add("src/a", slow())
    for thread in others:
        thread.join()
    assert [record.path for record in Retention(folder).records()] == ["src/a"]
