from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandboxd.halt.put_back import Outcome, put_back
from sandboxd.halt.verdict import Action, Kind, Version
from sandboxd.halt.versions import Held

_RIGHTS = "-dac_override,-dac_read_search"
AS_A_USER = ["setpriv", f"--bounding-set={_RIGHTS}", f"--inh-caps={_RIGHTS}", "--"]
"""Begins a command that modes of files bind, also where the tests run as root."""
if os.geteuid():
    AS_A_USER = []

OLD = Version(Kind.FILE, b"old", 0o755)


def test_the_old_bytes_come_back_and_the_new_ones_are_beside(tmp_path: Path) -> None:
    path = tmp_path / ".envrc"
    path.write_text("evil")
    with path.open("a") as inside:
        outcome = put_back(str(tmp_path), ".envrc", OLD)
        inside.write(" still")
    assert outcome == Outcome(".envrc", Action.PUT_BACK, ".envrc.halted")
    assert path.read_bytes() == b"old" and path.stat().st_mode & 0o777 == 0o755
    # An open file leads to what was put aside.
    assert (tmp_path / ".envrc.halted").read_text() == "evil still"


def test_nothing_that_was_put_aside_before_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".envrc").write_text("evil")
    (tmp_path / ".envrc.halted").write_text("earlier")
    assert put_back(str(tmp_path), ".envrc", OLD).aside == ".envrc.halted-2"
    assert (tmp_path / ".envrc.halted").read_text() == "earlier"


def test_names_that_are_taken_do_not_keep_it_from_being_put_aside(tmp_path: Path) -> None:
    (tmp_path / ".envrc").write_text("evil")
    for number in range(1000):
        (tmp_path / f".envrc.halted{f'-{number}' if number else ''}").touch()
    outcome = put_back(str(tmp_path), ".envrc", OLD)
    assert outcome.action is Action.PUT_BACK
    assert (tmp_path / ".envrc").read_bytes() == b"old"
    assert (tmp_path / outcome.aside).read_text() == "evil"


def test_a_long_name_is_put_aside_under_a_shorter_one(tmp_path: Path) -> None:
    name = "x" * 240 + ".code-workspace"
    (tmp_path / name).write_text("evil")
    outcome = put_back(str(tmp_path), name, OLD)
    assert outcome.action is Action.PUT_BACK and (tmp_path / name).read_bytes() == b"old"
    assert (tmp_path / outcome.aside).read_text() == "evil"


@pytest.mark.parametrize("mode", [0o555, 0o311, 0o000])
def test_a_folder_that_was_shut_from_inside_is_opened(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "sub"
    folder.mkdir()
    (folder / ".envrc").write_text("evil")
    folder.chmod(mode)
    command = (
        "from sandboxd.halt.put_back import put_back;"
        "from sandboxd.halt.verdict import *; import sys;"
        "print(put_back(sys.argv[1], 'sub/.envrc', Version(Kind.FILE, b'old', 0o644)).problem, end='')"
    )
    done = subprocess.run(
        [*AS_A_USER, sys.executable, "-c", command, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "" and (folder / ".envrc").read_bytes() == b"old"


def test_a_disk_that_is_full_leaves_nothing_at_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".envrc").write_text("evil")

    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("builtins.open", full)
    outcome = put_back(str(tmp_path), ".envrc", OLD)
    assert outcome == Outcome(".envrc", Action.SET_ASIDE, ".envrc.halted")
    assert not (tmp_path / ".envrc").exists()


def test_what_the_host_puts_there_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".envrc").write_text("evil")
    rename = os.rename

    def rename_and_save(*arguments: Any, **more: Any) -> None:
        rename(*arguments, **more)
        (tmp_path / ".envrc").write_text("host")

    monkeypatch.setattr(os, "rename", rename_and_save)
    outcome = put_back(str(tmp_path), ".envrc", OLD)
    assert outcome == Outcome(".envrc", Action.SET_ASIDE, ".envrc.halted")
    assert (tmp_path / ".envrc").read_text() == "host"


def test_a_folder_is_put_aside_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / ".git/hooks").mkdir(parents=True)
    (tmp_path / ".git/hooks/pre-commit").write_text("evil")
    outcome = put_back(str(tmp_path), ".git", Version(Kind.FOLDER))
    assert outcome.action is Action.SET_ASIDE and not (tmp_path / ".git").exists()
    assert (tmp_path / ".git.halted/hooks/pre-commit").exists()


def test_a_link_is_put_aside_itself(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    workspace = tmp_path / "w"
    workspace.mkdir()
    (workspace / ".envrc").symlink_to(outside)
    assert put_back(str(workspace), ".envrc", OLD).action is Action.PUT_BACK
    assert outside.read_text() == "mine" and not (workspace / ".envrc").is_symlink()


def test_a_link_above_is_not_followed_and_said(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / ".envrc").write_text("mine")
    workspace = tmp_path / "w"
    workspace.mkdir()
    (workspace / "sub").symlink_to(outside)
    outcome = put_back(str(workspace), "sub/.envrc", OLD)
    assert "`sub` is a symbolic link" in outcome.problem
    assert (outside / ".envrc").read_text() == "mine"


def test_a_folder_that_is_gone_has_nothing_to_put_back(tmp_path: Path) -> None:
    assert put_back(str(tmp_path), "sub/.envrc", OLD).problem == ""


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
    assert put_back(str(tmp_path), ".envrc", before).action is Action.SET_ASIDE
    assert not path.exists() and (tmp_path / ".envrc.halted").read_text() == "host's"
