"""What of a git directory's files goes into a copy of the workspace."""

from __future__ import annotations

import pytest

from sandboxd.exchange import copied_git

TOKEN = "tok-en"


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".git/config.worktree",
        ".git/modules/a/b/config",
        ".git/worktrees/x/config.worktree",
        "sub/.git/config",
    ],
)
def test_a_config_is_made_anew(path: str) -> None:
    edit = copied_git.edit_of(path)
    text = (
        f'[core]\n\tfsmonitor = evil\n[remote "o"]\n\turl = https://u:{TOKEN}@h/x\n\tfetch = +a:b\n'
        f"[http]\n\textraheader = {TOKEN}\n[extensions]\n\trefstorage = reftable\n"
    )
    assert edit is not None
    made = edit(text.encode()).decode()
    assert TOKEN not in made and "evil" not in made
    assert "https://h/x" in made and "refstorage = reftable" in made
    assert "repositoryformatversion = 1" in made


@pytest.mark.parametrize(
    "path",
    [".git/logs/HEAD", ".git/logs/refs/heads/a", ".git/modules/m/logs/HEAD", ".git/FETCH_HEAD"],
)
def test_a_log_has_no_logins(path: str) -> None:
    edit = copied_git.edit_of(path)
    assert edit is not None
    assert edit(b"pull https://tok-en@h/x\n") == b"pull https://h/x\n"


@pytest.mark.parametrize(
    "path", ["config", "logs/a", "my.git/config", ".git/refs/heads/config", ".git/objects/ab/logs"]
)
def test_other_files_are_copied_as_they_are(path: str) -> None:
    assert copied_git.edit_of(path) is None
