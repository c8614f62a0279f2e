"""A file `.git` is believed only where the repository that it names says the same."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sandboxd.plan.linked_worktree import LinkedWorktree, linked_worktree, repository_folder
from sandboxd.plan.plan import Plan
from sandboxd.plan.workspace import ControlFile
from tests.unit.plan.examples import own_git, plan, workspace


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
    assert linked == (str(main / ".git"), "one", str(main / ".git"))
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


def planned(folder: Path, **changes: object) -> Plan:
    linked = linked_worktree(str(folder))
    facts = workspace(
        path=str(folder),
        linked=linked,
        control_files=(ControlFile(".git", "file"),),
        own_git=own_git(),
    )
    return plan(workspace=facts._replace(**changes))


def test_the_repository_is_read_only_where_there_is_none_of_its_own(main: Path) -> None:
    """Who can write there has git on the host write into any file, in each of its work trees."""
    made = planned(main.parent / "one", own_git=None)
    assert made.repository is not None
    assert made.repository.target == str(main / ".git") and made.repository.read_only
    (said,) = [d for d in made.downgrades if d.control == "git inside"]
    assert "read-only inside" in said.why and "sandboxd agent" in said.fix


def test_a_relative_name_means_a_place_beside_the_workspace(main: Path) -> None:
    (main.parent / "one/.git").write_text("gitdir: ../main/.git/worktrees/one\n")
    made = planned(main.parent / "one", own_git=None)
    assert made.repository is not None and made.repository.target == "/workspaces/main/.git"
    made = planned(main.parent / "one")
    assert made.repository is None and made.own_git == own_git()
    mounts = {mount.value.target: mount.value for mount in made.container.mounts}
    own = mounts["/workspaces/main/.git/worktrees/one"]
    assert (own.source, own.read_only) == (own_git().inside, False)


@pytest.mark.parametrize("named", ["/proc/x/.git", "/repo", "/sandboxd/x/.git", "/workspaces/one"])
def test_a_repository_covers_nothing_else_inside(main: Path, named: str) -> None:
    linked = LinkedWorktree(str(main / ".git"), "one", named)
    files = (ControlFile(".git", "file"),)
    facts = workspace(path=str(main.parent / "one"), linked=linked, control_files=files)
    made = plan(workspace=facts)
    assert made.repository is None and made.own_git is None
    (said,) = [d for d in made.downgrades if d.control == "git inside"]
    assert "git finds none" in said.why
