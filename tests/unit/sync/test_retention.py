"""What was removed is in a folder of ours for seven days."""

from __future__ import annotations

import os
from pathlib import Path

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
    retention = Retention(str(tmp_path / "own"), NOW)
    put(retention, work / "run", file("1", True))
    put(retention, work / "link", Content(Kind.LINK, "../a"))
    assert os.listdir(work) == []
    run, link = Retention(str(tmp_path / "own"), NOW + DAY).records()
    assert (run.path, run.time, run.kind, run.executable) == ("src/run", NOW, Kind.FILE, True)
    assert Path(retention.file(run)).read_text() == "1"
    assert (link.path, link.kind) == ("src/link", Kind.LINK)
    assert Path(retention.file(link)).read_text() == "../a"


def test_the_same_content_takes_no_more_room(tmp_path: Path) -> None:
    retention = Retention(str(tmp_path / "own"), NOW)
    for name in "ab":
        (tmp_path / name).write_text("1")
        put(retention, tmp_path / name, file("1"))
    assert [record.path for record in retention.records()] == ["src/a", "src/b"]
    assert len(os.listdir(tmp_path / "own/objects")) == 1


def test_after_seven_days_it_goes(tmp_path: Path) -> None:
    retention = Retention(str(tmp_path / "own"), NOW)
    (tmp_path / "a").write_text("1")
    put(retention, tmp_path / "a", file("1"))
    assert len(Retention(str(tmp_path / "own"), NOW + 7 * DAY).records()) == 1
    assert Retention(str(tmp_path / "own"), NOW + 7 * DAY + 1).records() == ()
    assert os.listdir(tmp_path / "own/objects") == []


def test_another_name_of_a_file_keeps_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    os.link(tmp_path / "a", tmp_path / "b")
    retention = Retention(str(tmp_path / "own"), NOW)
    put(retention, tmp_path / "a", file("1"))
    (tmp_path / "b").write_text("2")
    assert Path(retention.file(retention.records()[0])).read_text() == "1"


def test_it_is_bounded(tmp_path: Path) -> None:
    retention = Retention(str(tmp_path / "own"), NOW, Bounds(bytes=10, entries=2))
    assert retention.has_room(10)
    assert not retention.has_room(11)
    for name in "ab":
        (tmp_path / name).write_text(name)
        put(retention, tmp_path / name, file(name))
    assert not retention.has_room(0)
    assert not Retention(str(tmp_path / "own"), NOW, Bounds(bytes=10, entries=2)).has_room(0)
    assert not Retention(str(tmp_path / "own"), NOW, Bounds(bytes=10, entries=9)).has_room(9)


def test_a_broken_list_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    retention = Retention(str(tmp_path / "own"), NOW)
    (tmp_path / "a").write_text("1")
    put(retention, tmp_path / "a", file("1"))
    with (tmp_path / "own/list").open("ab") as list_file:
        list_file.write(b'["../../x", 1, "../../../etc/passwd", "file", false]\n{}\n[1\n\xff')
    assert [record.path for record in retention.records()] == ["src/a"]
