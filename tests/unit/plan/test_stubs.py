"""What stands in for missing control files: which, where, and that it goes again."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.plan import profiles, stubs
from sandboxd.plan.git_control import git_control
from sandboxd.plan.mounts import workspace_mounts
from sandboxd.plan.notes import Notes
from sandboxd.plan.workspace import survey
from sandboxd.policy.protect import REFUSES_BARE, STUB_FOLDERS, is_stub_folder, stub_text

IN_GIT = {".git/commondir", ".git/config.worktree", ".git/hooks"}
STUBS = STUB_FOLDERS | IN_GIT
CONTROL = (*sorted(STUBS), ".git/config", "Jenkinsfile", "sandboxd.toml")


def test_which_folders_may_be_made_empty_whatever_a_repository_says() -> None:
    """Each is one that a program of the host acts on as soon as it is there."""
    assert {
        ".circleci", ".claude", ".cursor", ".devcontainer", ".devcontainer.json", ".git/hooks",
        ".github", ".vscode", REFUSES_BARE,
    } == STUB_FOLDERS  # fmt: skip


def test_only_folders_whose_parent_is_there_are_stubs(tmp_path: Path) -> None:
    facts = survey(str(tmp_path), CONTROL)
    assert set(facts.of_kind("stub")) == STUB_FOLDERS - {".git/hooks"}
    assert set(facts.of_kind("missing")) == {
        *IN_GIT,
        ".git/config",
        "Jenkinsfile",
        "sandboxd.toml",
    }
    (tmp_path / ".git").mkdir()
    assert {*survey(str(tmp_path), CONTROL).of_kind("stub")} == STUBS


def test_a_stub_is_pinned_like_the_folder_that_it_becomes(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    before = survey(str(tmp_path), CONTROL)
    stub_paths = stubs.make(str(tmp_path), before.of_kind("stub"))
    assert set(stub_paths) == STUBS
    after = survey(str(tmp_path), CONTROL)
    assert after.of_kind("stub") == ()
    for plain in (True, False):
        assert workspace_mounts(before, plain, Notes("t")) == workspace_mounts(
            after, plain, Notes("t")
        )
    assert stubs.make(str(tmp_path), STUBS) == ()


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


def test_git_reads_the_pinned_config_whatever_is_tried_inside(tmp_path: Path) -> None:
    """Against git itself: the stub changes nothing, and an empty one would break it."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    stub_paths = stubs.make(str(tmp_path), sorted(IN_GIT | {"commondir", ".devcontainer.json"}))
    commondir = ".git/commondir"
    assert (tmp_path / commondir).read_bytes() == stub_text(commondir) == b".\n"
    for words in (["status"], ["config", "--local", "a.b", "c"], ["fsck"], ["gc", "-q"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True, capture_output=True)
    assert "[a]" in (tmp_path / ".git/config").read_text()
    done = subprocess.run(
        ["git", "-C", str(tmp_path), "status", "--porcelain"], check=True, capture_output=True
    )
    assert done.stdout == b""
    assert {*stubs.remove(str(tmp_path), stub_paths)} == {*stub_paths}
    assert not (tmp_path / commondir).exists() and not (tmp_path / "commondir").exists()


def test_what_keeps_git_off_a_bare_repository_stays_beside_one(tmp_path: Path) -> None:
    stubs.make(str(tmp_path), ("commondir", ".vscode"))
    (tmp_path / "HEAD").write_text("ref: refs/heads/main\n")
    assert stubs.still_needed(str(tmp_path), ("commondir", ".vscode")) == ("commondir",)
    assert stubs.remove(str(tmp_path), ("commondir", ".vscode")) == (".vscode",)
    (tmp_path / "HEAD").unlink()
    assert stubs.still_needed(str(tmp_path), ("commondir",)) == ()
    assert stubs.remove(str(tmp_path), ("commondir",)) == ("commondir",)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".git/commondir", b".\n"),
        (".git/config.worktree", b""),
        (".git/modules/a/b/commondir", b".\n"),
        (".git/worktrees/x/config.worktree", b""),
        (".git/worktrees/x/commondir", None),
        (".git/modules/commondir", None),
        (".git/modules/../../x/commondir", None),
        ("commondir", None),
        (".git/config", None),
    ],
)
def test_which_files_may_be_made(path: str, text: bytes | None) -> None:
    assert stub_text(path) == text


def test_hooks_may_be_made_in_gits_own_folders_alone() -> None:
    assert is_stub_folder(".git/hooks") and is_stub_folder(".git/modules/a/hooks")
    assert not is_stub_folder("hooks") and not is_stub_folder(".git/objects/hooks")


@pytest.mark.parametrize("text", ["../x\n", "", ".\n\n"])
def test_a_file_that_says_something_else_stays_and_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / ".git").mkdir()
    commondir = tmp_path / ".git/commondir"
    commondir.write_text(text)
    assert stubs.make(str(tmp_path), (".git/commondir",)) == ()
    assert stubs.remove(str(tmp_path), (".git/commondir",)) == ()
    assert commondir.read_text() == text
    facts = survey(str(tmp_path), CONTROL, git=git_control(str(tmp_path)))
    assert facts.not_as_made == (".git/commondir",)
    notes = Notes("t")
    workspace_mounts(facts, True, notes)
    assert any("`.git/commondir` names another repository" in d.why for d in notes.downgrades)


def test_a_file_that_is_a_link_is_neither_made_over_nor_removed(tmp_path: Path) -> None:
    root, outside = tmp_path / "w", tmp_path / "outside"
    (root / ".git").mkdir(parents=True)
    outside.write_bytes(b".\n")
    (root / ".git/commondir").symlink_to(outside)
    assert stubs.make(str(root), (".git/commondir",)) == ()
    assert stubs.remove(str(root), (".git/commondir",)) == ()
    assert (root / ".git/commondir").is_symlink()


def test_a_file_is_pinned_as_a_file_under_every_gvisor(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    facts = survey(str(tmp_path), (".git/commondir",))
    for plain in (True, False):
        pin = workspace_mounts(facts, plain, Notes("t"))[-1].value
        assert (pin.type, pin.source, pin.read_only) == (
            "bind",
            str(tmp_path / ".git/commondir"),
            True,
        )


@pytest.mark.parametrize("name", profiles.names())
def test_a_profile_that_pins_in_git_pins_what_names_its_config(name: str) -> None:
    pinned = profiles.load(name).control_files
    assert (".git/commondir" in pinned) == any(path.startswith(".git/") for path in pinned)
