from __future__ import annotations

import os
from pathlib import Path

from sandboxd.halt.points import Guards, Point
from sandboxd.halt.put_back import Outcome, put_back
from sandboxd.halt.verdict import Action, Kind, Version
from sandboxd.halt.versions import Held

OLD = Version(Kind.FILE, b"old", 0o755)


def at(folder: Path, name: str = ".envrc") -> Point:
    return Point(str(folder / name), Guards.ALL)


def test_the_old_bytes_come_back_and_the_new_ones_are_beside(tmp_path: Path) -> None:
    path = tmp_path / ".envrc"
    path.write_text("evil")
    with path.open("a") as inside:
        outcome = put_back(str(tmp_path), at(tmp_path), OLD)
        inside.write(" still")
    assert outcome == Outcome(".envrc", Action.PUT_BACK, ".envrc.halted")
    assert path.read_bytes() == b"old" and path.stat().st_mode & 0o777 == 0o755
    # An open file leads to what was put aside.
    assert (tmp_path / ".envrc.halted").read_text() == "evil still"


def test_nothing_that_was_put_aside_before_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".envrc").write_text("evil")
    (tmp_path / ".envrc.halted").write_text("earlier")
    assert put_back(str(tmp_path), at(tmp_path), OLD).aside == ".envrc.halted-2"
    assert (tmp_path / ".envrc.halted").read_text() == "earlier"


def test_a_folder_is_put_aside_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / ".git/hooks").mkdir(parents=True)
    (tmp_path / ".git/hooks/pre-commit").write_text("evil")
    outcome = put_back(str(tmp_path), at(tmp_path, ".git"), Version(Kind.FOLDER))
    assert outcome.action is Action.SET_ASIDE and not (tmp_path / ".git").exists()
    assert (tmp_path / ".git.halted/hooks/pre-commit").exists()


def test_a_link_is_put_aside_itself(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    workspace = tmp_path / "w"
    workspace.mkdir()
    (workspace / ".envrc").symlink_to(outside)
    assert put_back(str(workspace), at(workspace), OLD).action is Action.PUT_BACK
    assert outside.read_text() == "mine" and not (workspace / ".envrc").is_symlink()


def test_a_link_above_is_not_followed_and_said(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / ".envrc").write_text("mine")
    workspace = tmp_path / "w"
    workspace.mkdir()
    (workspace / "sub").symlink_to(outside)
    outcome = put_back(str(workspace), at(workspace, "sub/.envrc"), OLD)
    assert "`sub` is a symbolic link" in outcome.problem
    assert (outside / ".envrc").read_text() == "mine"


def test_a_folder_that_is_gone_has_nothing_to_put_back(tmp_path: Path) -> None:
    assert put_back(str(tmp_path), at(tmp_path, "sub/.envrc"), OLD).problem == ""


def test_a_file_is_read_when_it_has_no_name_any_more(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    held = Held(str(path))
    (tmp_path / "b").write_text("new")
    (tmp_path / "b").rename(path)
    assert held.version().data == b"old"
    held.close()


def test_a_pipe_is_held_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    held = Held(str(tmp_path / "pipe"))
    assert held.version() == Version(Kind.OTHER)
    held.close()


def test_an_old_file_that_was_written_since_does_not_come_back(tmp_path: Path) -> None:
    path = tmp_path / ".envrc"
    path.write_text("old")
    held = Held(str(path))
    # The moment in which the mount is gone and the name still leads to the old file.
    with path.open("a") as inside:
        inside.write(" evil")
    (tmp_path / "new").write_text("host's")
    (tmp_path / "new").rename(path)
    before = held.version()
    held.close()
    assert before.kind is Kind.FILE and before.data is None
    assert put_back(str(tmp_path), at(tmp_path), before).action is Action.SET_ASIDE
    assert not path.exists() and (tmp_path / ".envrc.halted").read_text() == "host's"
