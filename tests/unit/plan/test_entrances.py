"""Where git on the host enters repositories, read from what git itself wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.plan.entrances import MOST, Entrance, Entrances, entrances, hosts_own
from sandboxd.plan.gitlinks import index_of, paths_in
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


def of(repository: Path) -> Entrances:
    return entrances(str(repository), index_of(str(repository)))


def links(repository: Path) -> tuple[Entrance, ...]:
    return of(repository).places


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make(tmp_path / "w")


def test_without_an_index_nothing_is_entered(repository: Path) -> None:
    assert links(repository) == ()


def test_each_new_index_is_read(repository: Path) -> None:
    name(repository, "b")
    assert links(repository) == (Entrance("b", True, kept_in=f"{repository}/.git/modules"),)
    name(repository, "a/lib")
    assert [link.path for link in links(repository)] == ["a/lib", "b"]
    git(repository, "rm", "-q", "--cached", "b")
    assert [link.path for link in links(repository)] == ["a/lib"]


def test_ids_of_sha256_are_read(tmp_path: Path) -> None:
    repository = make(tmp_path / "w", "--object-format=sha256")
    name(repository, "lib", oid="1" * 64)
    assert [link.path for link in links(repository)] == ["lib"]


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
        paths_in(index_of(str(repository)))
    ((path, why),) = of(repository).unread
    assert path == ".git" and why


def test_a_repository_among_the_hosts_own_is_told_from_others(repository: Path) -> None:
    kept_in = f"{repository}/.git/modules"
    with_submodule(repository)
    file = repository / "deps/lib/.git"
    leads_to = f"{repository}/.git/modules/deps/lib"
    assert hosts_own(str(repository), kept_in, "deps/lib/.git") == leads_to
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
        assert not hosts_own(str(repository), kept_in, "deps/lib/.git"), text
    file.unlink()
    file.mkdir()
    assert not hosts_own(str(repository), kept_in, "deps/lib/.git")
    file.rmdir()
    file.write_text(named)
    (repository / ".git/modules/deps").rename(repository / "moved")
    (repository / ".git/modules/deps").symlink_to(repository / "moved")
    assert not hosts_own(str(repository), kept_in, "deps/lib/.git")


COMMIT = ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-mx")


def test_the_submodules_of_a_submodule_are_entered_too(repository: Path, tmp_path: Path) -> None:
    """`git status` at the top runs git in a submodule, which runs git in those of its own."""
    inner = make(tmp_path / "inner")
    git(inner, *COMMIT)
    with_submodule(repository)
    lib = repository / "deps/lib"
    git(lib, "submodule", "--quiet", "add", str(inner), "sub")
    name(lib, "later")
    own = f"{repository}/.git/modules/deps/lib"
    assert links(repository) == (
        Entrance("deps/lib", True, kept_in=f"{repository}/.git/modules"),
        Entrance("deps/lib/later", True, kept_in=f"{own}/modules"),
        Entrance("deps/lib/sub", True, kept_in=f"{own}/modules"),
    )
    assert {f"{own}/index", f"{own}/modules/sub/index"} <= set(of(repository).files)
    # A file that leads elsewhere is entered, but what is there is not the host's list.
    (repository / "evil").mkdir()
    (lib / ".git").write_text("gitdir: ../../evil\n")
    assert [link.path for link in links(repository)] == ["deps/lib"]


def test_linked_work_trees_and_their_submodules_are_entered(
    repository: Path, tmp_path: Path
) -> None:
    git(repository, *COMMIT)
    git(repository, "worktree", "add", "-q", "trees/one")
    git(repository, "worktree", "add", "-q", str(tmp_path / "elsewhere"))
    name(repository / "trees/one", "lib")
    folder = f"{repository}/.git/worktrees"
    assert links(repository) == (
        Entrance("trees/one", True, kept_in=folder, is_linked=True),
        Entrance("trees/one/lib", True, kept_in=f"{folder}/one/modules"),
    )
    # One that may come into the workspace is looked at again.
    files = {f"{folder}/one/gitdir", f"{folder}/one/index", f"{folder}/elsewhere/gitdir"}
    assert files <= set(of(repository).files) and folder in of(repository).folders
    (repository / "trees").rename(tmp_path / "gone")
    assert links(repository) == (), "git keeps one in its list whose folder is gone"


def test_repositories_that_name_each_other_end(repository: Path) -> None:
    git(repository, "init", "-q", "lib")
    name(repository, "lib")
    name(repository / "lib", "deep")
    (repository / "lib/deep").mkdir()
    (repository / "lib/deep/.git").symlink_to("../.git")
    assert [link.path for link in links(repository)] == ["lib", "lib/deep"]
