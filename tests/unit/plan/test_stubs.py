"""Empty folders in place of missing control folders: which, where, and that they go again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.plan import stubs
from sandboxd.plan.mounts import workspace_mounts
from sandboxd.plan.notes import Notes
from sandboxd.plan.workspace import survey
from sandboxd.policy.protect import STUB_FOLDERS

CONTROL = (*sorted(STUB_FOLDERS), ".git/config", "Jenkinsfile", "sandboxd.toml")


def test_only_folders_whose_parent_is_there_are_stubs(tmp_path: Path) -> None:
    facts = survey(str(tmp_path), CONTROL)
    assert set(facts.of_kind("stub")) == STUB_FOLDERS - {".git/hooks"}
    assert set(facts.of_kind("missing")) == {
        ".git/config",
        ".git/hooks",
        "Jenkinsfile",
        "sandboxd.toml",
    }
    (tmp_path / ".git").mkdir()
    assert ".git/hooks" in survey(str(tmp_path), CONTROL).of_kind("stub")


def test_a_stub_is_pinned_like_the_folder_that_it_becomes(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    before = survey(str(tmp_path), CONTROL)
    made = stubs.make(str(tmp_path), before.of_kind("stub"))
    assert set(made) == STUB_FOLDERS
    after = survey(str(tmp_path), CONTROL)
    assert after.of_kind("stub") == ()
    for plain in (True, False):
        assert workspace_mounts(before, plain, Notes("t")) == workspace_mounts(
            after, plain, Notes("t")
        )
    assert stubs.make(str(tmp_path), STUB_FOLDERS) == ()


def test_only_what_is_still_empty_goes(tmp_path: Path) -> None:
    stubs.make(str(tmp_path), (".vscode", ".github", ".claude"))
    (tmp_path / ".vscode/tasks.json").write_text("{}")
    (tmp_path / ".github").rmdir()
    (tmp_path / ".github").write_text("a file now")
    removed = stubs.remove(str(tmp_path), (".vscode", ".github", ".claude", ".cursor"))
    assert removed == (".claude",)
    assert (tmp_path / ".vscode/tasks.json").read_text() == "{}"
    assert (tmp_path / ".github").read_text() == "a file now"


def test_no_link_is_followed(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "w"
    (outside / "hooks").mkdir(parents=True)
    root.mkdir()
    (root / ".git").symlink_to(outside)
    (root / ".vscode").symlink_to(outside / "hooks")
    with pytest.raises(UsageError, match=r"`\.git` is a symbolic link"):
        stubs.make(str(root), (".claude", ".git/hooks"))
    assert not (root / ".claude").exists()
    assert stubs.make(str(root), (".vscode",)) == ()
    assert stubs.remove(str(root), (".git/hooks", ".vscode")) == ()
    assert (outside / "hooks").is_dir()


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.mkdir

    def full(path: str, *args: object, **options: object) -> None:
        if path == ".vscode":
            raise OSError(28, "No space left on device")
        real(path, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "mkdir", full)
    with pytest.raises(EnvironmentFailure, match=r"cannot write `\.vscode`: no space left"):
        stubs.make(str(tmp_path), (".claude", ".vscode"))
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_the_folder_stays_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert survey(str(tmp_path), CONTROL).of_kind("stub") == ()
