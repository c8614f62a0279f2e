"""A kept file is had back: never over another one, and never where it would act on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.errors import UsageError
from sandboxd.sync.restoring import restore
from sandboxd.sync.retention import Record
from sandboxd.sync.state import Kind


def had_back(folder: Path, path: str, text: str = "old", kind: Kind = Kind.FILE) -> str:
    """Restore a version of `path` into `folder`; returns the path of it there."""
    content = folder.parent / "content"
    content.write_text(text)
    return restore(str(folder), Record(path, 1_000_000_000, "x", kind, True), str(content))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def test_it_is_where_it_was_with_the_folders_above(folder: Path) -> None:
    assert had_back(folder, "a/b/run") == "a/b/run"
    assert (folder / "a/b/run").read_text() == "old"
    assert os.access(folder / "a/b/run", os.X_OK)
    assert os.listdir(folder / "a/b") == ["run"]


def test_what_is_there_by_now_stays(folder: Path) -> None:
    (folder / "a").write_text("new")
    one, two = had_back(folder, "a"), had_back(folder, "a", "older")
    assert one.startswith("a.kept-2001") and two == f"{one}-2"
    assert (folder / "a").read_text() == "new"
    assert [(folder / each).read_text() for each in (one, two)] == ["old", "older"]


@pytest.mark.parametrize("path", [".envrc", ".vscode/tasks.json", "sub/.git/hooks/post-commit"])
def test_what_acts_on_this_machine_gets_another_name(folder: Path, path: str) -> None:
    assert had_back(folder, path).startswith(f"{path}.kept-")
    assert not (folder / path).exists()


def test_a_link_out_of_the_workspace_is_refused(folder: Path) -> None:
    assert had_back(folder, "in", "a", Kind.LINK) == "in"
    with pytest.raises(UsageError, match="`out` is not restored"):
        had_back(folder, "out", "/etc/passwd", Kind.LINK)
    (folder / "way").symlink_to(folder.parent)
    with pytest.raises(UsageError):
        had_back(folder, "way/file")
    with pytest.raises(UsageError):
        had_back(folder, "../file")
    assert sorted(os.listdir(folder.parent)) == ["content", "workspace"]
    assert sorted(os.listdir(folder)) == ["in", "way"]
