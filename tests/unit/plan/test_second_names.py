"""Files that are to be shut, and have a name by which a program inside could write them all the same."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.plan import second_names


def test_a_file_with_a_second_name_becomes_one_of_its_own(tmp_path: Path) -> None:
    envrc, other = tmp_path / ".envrc", tmp_path / "keep"
    envrc.write_text("host")
    envrc.chmod(0o750)
    os.utime(envrc, ns=(1, 2))
    other.hardlink_to(envrc)
    assert second_names.part(str(tmp_path), [".envrc", "missing"]) == ((".envrc",), True)
    other.write_text("evil")
    assert envrc.read_text() == "host"
    assert envrc.stat().st_mode & 0o777 == 0o750 and envrc.stat().st_mtime_ns == 2
    assert second_names.part(str(tmp_path), [".envrc"]) == ((), True)
    assert sorted(os.listdir(tmp_path)) == [".envrc", "keep"]


def test_so_does_one_with_a_long_name(tmp_path: Path) -> None:
    name = "x" * 240 + ".code-workspace"
    (tmp_path / name).write_text("host")
    (tmp_path / "keep").hardlink_to(tmp_path / name)
    assert second_names.part(str(tmp_path), [name]) == ((name,), True)
    assert sorted(os.listdir(tmp_path)) == ["keep", name]


def test_so_do_those_in_a_folder_that_is_shut(tmp_path: Path) -> None:
    (tmp_path / ".husky/_").mkdir(parents=True)
    hook = tmp_path / ".husky/_/pre-commit"
    hook.write_text("host")
    (tmp_path / "keep").hardlink_to(hook)
    parted, is_whole = second_names.part(str(tmp_path), [".husky"])
    assert parted == (".husky/_/pre-commit",) and is_whole
    assert (tmp_path / "keep").stat().st_ino != hook.stat().st_ino


def test_objects_of_git_stay_shared(tmp_path: Path) -> None:
    (tmp_path / ".git/objects").mkdir(parents=True)
    (tmp_path / ".git/objects/one").write_text("")
    (tmp_path / "clone").hardlink_to(tmp_path / ".git/objects/one")
    assert second_names.part(str(tmp_path), [".git"]) == ((), True)


def test_objects_that_a_clone_shares_become_git_s_own(tmp_path: Path) -> None:
    objects, clone = tmp_path / ".git/objects", tmp_path / "clone"
    clone.mkdir()
    for number, name in enumerate(("aa/one", "pack/pack-1.pack", "info/alternates", "aa/alone")):
        (objects / name).parent.mkdir(parents=True, exist_ok=True)
        (objects / name).write_text("host")
        (objects / name).chmod(0o444)
        if name != "aa/alone":
            (clone / str(number)).hardlink_to(objects / name)
    assert second_names.part_objects(str(objects)) == (2, True)
    for other in clone.iterdir():
        other.chmod(0o644)
        other.write_text("evil")
    assert (objects / "aa/one").read_text() == (objects / "pack/pack-1.pack").read_text() == "host"
    assert (objects / "aa/one").stat().st_mode & 0o777 == 0o444
    assert second_names.part_objects(str(objects)) == (0, True)


def test_more_objects_than_are_copied_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "objects/aa").mkdir(parents=True)
    for name in ("one", "two"):
        (tmp_path / "objects/aa" / name).write_text(name)
        (tmp_path / name).hardlink_to(tmp_path / "objects/aa" / name)
    monkeypatch.setattr(second_names, "_MOST_COPIED", 4)
    assert second_names.part_objects(str(tmp_path / "objects")) == (1, False)
    monkeypatch.undo()
    assert second_names.part_objects(str(tmp_path / "objects")) == (1, True)


@pytest.mark.parametrize("refused", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_objects_that_may_not_be_written_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: int
) -> None:
    """As those of an alternate may be."""

    def refuse(folder: int, name: str, **_more: bool) -> None:
        raise OSError(refused, os.strerror(refused))

    (tmp_path / "objects/aa").mkdir(parents=True)
    (tmp_path / "objects/aa/one").write_text("one")
    (tmp_path / "one").hardlink_to(tmp_path / "objects/aa/one")
    monkeypatch.setattr(second_names, "replace_by_copy", refuse)
    assert second_names.part_objects(str(tmp_path / "objects")) == (0, False)


def test_no_link_is_followed(tmp_path: Path) -> None:
    outside, workspace = tmp_path / "outside", tmp_path / "w"
    outside.mkdir()
    workspace.mkdir()
    (outside / "file").write_text("mine")
    (outside / "second").hardlink_to(outside / "file")
    (workspace / ".husky").symlink_to(outside)
    assert second_names.part(str(workspace), [".husky"]) == ((), True)
    with pytest.raises(UsageError):
        second_names.part(str(workspace), [".husky/file"])
    assert (outside / "file").stat().st_nlink == 2


def test_a_folder_without_an_end_is_left_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_names, "_MOST_ENTRIES", 3)
    (tmp_path / ".husky").mkdir()
    for number in range(4):
        (tmp_path / f".husky/{number}").write_text("")
    assert second_names.part(str(tmp_path), [".husky"]) == ((), False)


def test_one_that_cannot_be_replaced_ends_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".envrc").write_text("host")
    (tmp_path / "keep").hardlink_to(tmp_path / ".envrc")

    def full(*_arguments: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(EnvironmentFailure):
        second_names.part(str(tmp_path), [".envrc"])
    assert sorted(os.listdir(tmp_path)) == [".envrc", "keep"]


def test_a_file_that_changes_while_it_is_copied_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program of the host may write it."""
    file = tmp_path / "file"
    file.write_text("old")
    folder = os.open(tmp_path, os.O_RDONLY)
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfileobj", lambda *_: file.write_text("of the host"))
        with pytest.raises(second_names.Changed):
            second_names.replace_by_copy(folder, "file", if_same=True)
    os.close(folder)
    assert file.read_text() == "of the host" and os.listdir(tmp_path) == ["file"]
