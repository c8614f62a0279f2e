"""Links in `.git` are found without being followed, and named with the next step."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.plan.git_links import GitLink, git_links
from sandboxd.plan.git_on_host import words_of_links


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    for folder in ("logs/refs/heads", "objects/ab", "hooks", "worktrees/two"):
        (tmp_path / "w/.git" / folder).mkdir(parents=True)
    (tmp_path / "w/.git/HEAD").write_text("ref: refs/heads/main\n")
    return tmp_path / "w"


def test_each_link_is_found_with_what_it_leads_to(workspace: Path) -> None:
    for path in ("COMMIT_EDITMSG", "logs/refs/heads/main", "worktrees/two/MERGE_MSG", "objects/ab"):
        place = workspace / ".git" / path
        if place.is_dir():
            place.rmdir()
        place.symlink_to("/home/ann/.zshenv")
    found = git_links(str(workspace), 100)
    # Git writes no file of `objects` by a name of the repository's choice.
    assert found.links == tuple(
        GitLink(f".git/{path}", "/home/ann/.zshenv")
        for path in ("COMMIT_EDITMSG", "logs/refs/heads/main", "worktrees/two/MERGE_MSG")
    )
    assert found.complete


def test_a_folder_behind_a_link_is_not_entered(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/link").symlink_to("x")
    (workspace / ".git/rebase-merge").symlink_to(tmp_path / "elsewhere")
    assert [link.path for link in git_links(str(workspace), 100).links] == [".git/rebase-merge"]


def test_a_look_is_bounded_and_says_so(workspace: Path) -> None:
    for number in range(50):
        (workspace / ".git" / f"file-{number}").write_text("")
    (workspace / ".git/logs/HEAD").symlink_to("x")
    assert not git_links(str(workspace), 20).complete
    assert git_links(str(workspace), 100).links == (GitLink(".git/logs/HEAD", "x"),)


@pytest.mark.parametrize("kind", ["missing", "file", "link"])
def test_only_a_folder_of_the_workspace_is_looked_at(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "w"
    place.mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/HEAD").symlink_to("x")
    if kind == "file":
        (place / ".git").write_text("gitdir: ../other\n")
    elif kind == "link":
        (place / ".git").symlink_to("../other")
    assert git_links(str(place), 100) == ((), True)


def test_words_name_the_link_and_a_command_that_can_be_pasted() -> None:
    (line,) = words_of_links((GitLink(".git/logs/a b", "/home/ann/.zshenv"),))
    assert line[0] == (
        "`.git/logs/a b` is a symbolic link to `/home/ann/.zshenv`: git on the host writes through it"
    )
    assert line[1].endswith("`rm '.git/logs/a b'`")


def test_many_links_are_counted() -> None:
    lines = words_of_links(tuple(GitLink(f".git/{number}", "x") for number in range(9)))
    assert len(lines) == 7 and lines[-1][0] == "`.git` has 3 more symbolic links"
