"""Which commit is checked out on the host, read from files: no git runs in the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.review import refs

A, B = "a" * 40, "b" * 40


@pytest.fixture
def git(tmp_path: Path) -> Path:
    folder = tmp_path / ".git"
    (folder / "refs/heads").mkdir(parents=True)
    (folder / "HEAD").write_text("ref: refs/heads/main\n")
    return folder


def test_a_branch_has_its_own_file_or_a_line_of_the_packed_ones(git: Path) -> None:
    assert refs.head(str(git.parent)) == ("refs/heads/main", "")
    (git / "packed-refs").write_text(f"# pack-refs\n{A} refs/heads/main\n^{B}\n{B} refs/tags/v1\n")
    assert refs.head(str(git.parent)) == ("refs/heads/main", A)
    (git / "refs/heads/main").write_text(f"{B}\n")
    assert refs.head(str(git.parent)) == ("refs/heads/main", B)


def test_a_commit_on_no_branch(git: Path) -> None:
    (git / "HEAD").write_text(f"{A}\n")
    assert refs.head(str(git.parent)) == ("", A)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ref: refs/heads/../../x",
        "ref: refs/tags/v1",
        "ref: /etc/x",
        "ref: refs/heads/a\0b",
        "ref: refs/heads/a\nb",
        "ref: refs/heads/" + "a/" * 600,
    ],
)
def test_what_is_no_branch_is_none(git: Path, text: str) -> None:
    (git / "HEAD").write_text(text)
    assert refs.head(str(git.parent)) == ("", "")


def test_a_link_in_the_repository_is_not_followed(git: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(f"{A}\n")
    (git / "refs/heads/main").symlink_to(tmp_path / "elsewhere")
    assert refs.head(str(git.parent)) == ("refs/heads/main", "")
    assert refs.head(str(tmp_path / "nothing")) == ("", "")
