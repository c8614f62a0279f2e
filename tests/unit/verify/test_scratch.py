"""Scratch files in a workspace whose owner is hostile."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sandboxd.verify.scratch import PREFIX, ScratchFolder, open_below, take_away

NAME = f"{PREFIX}1"


def make(root: Path, parent: str = "pin") -> ScratchFolder:
    return ScratchFolder(str(root), parent, NAME, ("a", "b", "c", "d"), 0o777)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pin").mkdir()
    return tmp_path


def test_every_kind_of_damage_is_seen(root: Path) -> None:
    folder = make(root)
    inside = root / "pin" / NAME
    assert [folder.damage(file) for file in "abcd"] == ["", "", "", ""]
    os.truncate(inside / "a", 0)
    (inside / "b").write_text("OVERWRITTEN")
    (inside / "c").unlink()
    (inside / "d").unlink()
    (inside / "d").mkdir()
    assert [folder.damage(f) for f in "abcd"] == ["emptied", "overwritten", "gone", "replaced"]


def test_a_file_swapped_for_a_link_to_the_original_is_damage(root: Path) -> None:
    folder = make(root)
    inside = root / "pin" / NAME
    (inside / "a").rename(inside / "elsewhere")
    (inside / "a").symlink_to("elsewhere")
    assert folder.damage("a") == "gone"


def test_the_mount_is_all_that_stands_in_the_way(root: Path) -> None:
    before = os.umask(0o077)
    try:
        make(root)
    finally:
        os.umask(before)
    inside = root / "pin" / NAME
    assert inside.stat().st_mode & 0o777 == 0o777
    assert (inside / "a").stat().st_mode & 0o777 == 0o666


def test_nothing_is_left(root: Path) -> None:
    folder = make(root)
    (root / "pin" / NAME / "a").rename(root / "pin" / NAME / "a.moved")
    folder.remove()
    assert os.listdir(root / "pin") == []


def test_what_others_put_there_is_not_removed(root: Path) -> None:
    folder = make(root)
    (root / "pin" / NAME / "work").write_text("of somebody")
    folder.remove()
    assert (root / "pin" / NAME / "work").read_text() == "of somebody"


def test_a_link_on_the_way_is_not_followed(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "link").symlink_to(outside)
    with pytest.raises(OSError):
        make(root, "link")
    with pytest.raises(OSError):
        open_below(str(root), "link")
    (outside / "file").write_text("")
    assert not take_away(str(root), "link", "file")
    assert os.listdir(outside) == ["file"]


def test_what_a_killed_run_left_is_swept_and_a_running_one_is_not(root: Path) -> None:
    for name, age in ((f"{PREFIX}old", 4000), (f"{PREFIX}new", 0)):
        folder = root / "pin" / name
        folder.mkdir()
        (folder / "a").write_text("")
        os.utime(folder, (time.time() - age,) * 2)
    planted = root / "pin" / f"{PREFIX}planted-new"
    planted.write_text("")
    os.utime(planted, (time.time() - 4000,) * 2)
    folder = make(root)
    assert sorted(os.listdir(root / "pin")) == [NAME, f"{PREFIX}new"]
    folder.remove()


def test_a_planted_file_is_found_once(root: Path) -> None:
    (root / "pin" / "planted").write_text("")
    assert take_away(str(root), "pin", "planted")
    assert not take_away(str(root), "pin", "planted")
    assert not take_away(str(root), "missing", "planted")
