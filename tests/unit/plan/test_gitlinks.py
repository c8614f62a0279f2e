"""Where git's index enters repositories, read from indexes that git itself wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.plan import gitlinks
from sandboxd.plan.gitlinks import MOST, Gitlink, index_of, is_hosts_own
from tests.unit.plan.test_git_control import git, with_submodule

OID = "1" * 40


def make(root: Path, *options: str) -> Path:
    root.mkdir(parents=True)
    git(root, "init", "-q", *options)
    return root


def name(repository: Path, *paths: str, oid: str = OID) -> None:
    """Have the index enter a repository at each path."""
    words = [word for path in paths for word in ("--cacheinfo", f"160000,{oid},{path}")]
    assert git(repository, "update-index", "--add", *words) == ""


def links(repository: Path) -> tuple[Gitlink, ...]:
    return gitlinks.gitlinks(str(repository), index_of(str(repository)))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make(tmp_path / "w")


def test_without_an_index_nothing_is_entered(repository: Path) -> None:
    assert links(repository) == ()


def test_each_new_index_is_read(repository: Path) -> None:
    name(repository, "b")
    assert links(repository) == (Gitlink("b", True),)
    name(repository, "a/lib")
    assert [link.path for link in links(repository)] == ["a/lib", "b"]
    git(repository, "rm", "-q", "--cached", "b")
    assert [link.path for link in links(repository)] == ["a/lib"]


def test_ids_of_sha256_are_read(tmp_path: Path) -> None:
    repository = make(tmp_path / "w", "--object-format=sha256")
    name(repository, "lib", oid="1" * 64)
    assert links(repository) == (Gitlink("lib", True),)


@pytest.mark.parametrize("later", ["", "new"])
def test_the_part_of_a_split_index_in_another_file_is_read(repository: Path, later: str) -> None:
    name(repository, "lib")
    git(repository, "update-index", "--split-index")
    if later:
        name(repository, later)
    assert b"lib" not in (repository / ".git/index").read_bytes()
    assert {link.path for link in links(repository)} == {"lib", *filter(None, [later])}


def test_those_beyond_the_limit_do_not_count(repository: Path) -> None:
    name(repository, *(f"lib-{number:03}" for number in range(MOST + 2)))
    counted = [link.is_counted for link in links(repository)]
    assert counted == [True] * MOST + [False] * 2


def test_what_is_no_folder_is_in_the_way(repository: Path) -> None:
    name(repository, "a/lib", "b", "c")
    (repository / "elsewhere").mkdir()
    (repository / "a").symlink_to("elsewhere")
    (repository / "b").write_text("")
    assert [link.in_the_way for link in links(repository)] == ["a", "b", ""]


def test_an_index_that_git_would_not_read_is_refused(repository: Path) -> None:
    (repository / ".git/index").write_bytes(b"\x00\x00\xe0\x00")
    with pytest.raises(ValueError, match=r"ends too early|another form"):
        links(repository)


def test_a_repository_among_the_hosts_own_is_told_from_others(repository: Path) -> None:
    own = index_of(str(repository)).own
    with_submodule(repository)
    file = repository / "deps/lib/.git"
    assert is_hosts_own(str(repository), own, "deps/lib/.git")
    named = file.read_text()
    evil = repository / "evil"
    evil.mkdir()
    for text in (
        "gitdir: ../../evil\n",
        "gitdir: ../../.git\n",
        "gitdir: ../../.git/modules/none\n",
        "gitdir: ../../.git/modules/../../evil\n",
        named.replace("gitdir: ", ""),
        named * 2,
        "",
    ):
        file.write_text(text)
        assert not is_hosts_own(str(repository), own, "deps/lib/.git"), text
    file.unlink()
    file.mkdir()
    assert not is_hosts_own(str(repository), own, "deps/lib/.git")
    file.rmdir()
    file.write_text(named)
    (repository / ".git/modules/deps").rename(repository / "moved")
    (repository / ".git/modules/deps").symlink_to(repository / "moved")
    assert not is_hosts_own(str(repository), own, "deps/lib/.git")
