"""A file `.git` is believed only where the repository that it names says the same."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sandboxd.plan.linked_worktree import linked_worktree, repository_folder


@pytest.fixture
def main(tmp_path: Path) -> Path:
    folder = Path(os.path.realpath(tmp_path)) / "main"
    run = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(folder)]
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    subprocess.run([*run, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
    for name in ("one", "two"):
        subprocess.run([*run, "worktree", "add", "-q", str(folder.parent / name)], check=True)
    return folder


def test_a_work_tree_that_git_linked_has_its_repository(main: Path) -> None:
    linked = linked_worktree(str(main.parent / "one"))
    assert linked == (str(main / ".git"), "one")
    assert repository_folder(str(main.parent / "one")) == str(main)
    assert linked_worktree(str(main)) is None and repository_folder(str(main)) == str(main)


def test_another_folder_cannot_name_somebody_s_repository(main: Path) -> None:
    hostile = main.parent / "hostile"
    hostile.mkdir()
    for text in (
        (main.parent / "one/.git").read_text(),
        f"gitdir: {main}/.git\n",
        f"gitdir: {main}/.git/worktrees\n",
        f"gitdir: {main}/.git/worktrees/none\n",
        "gitdir: \n",
        "gitdir: ../main/.git/worktrees/one\n",
        "x" * 10_000,
    ):
        (hostile / ".git").write_text(text)
        assert linked_worktree(str(hostile)) is None, text


@pytest.mark.parametrize("part", [".git", ".git/worktrees/one/gitdir"])
def test_no_link_counts(main: Path, part: str) -> None:
    path = (main.parent / "one" if part == ".git" else main) / part
    elsewhere = main.parent / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert linked_worktree(str(main.parent / "one")) is None


def test_a_repository_in_the_workspace_itself_is_none_of_the_users(main: Path) -> None:
    """What lies in the workspace can be written inside, so it proves nothing."""
    one = main.parent / "one"
    planted = one / "planted"
    planted.mkdir()
    (main / ".git").rename(planted / ".git")
    (one / ".git").write_text(f"gitdir: {planted}/.git/worktrees/one\n")
    assert linked_worktree(str(one)) is None
