"""What waits on the host is taken by one command, where `git merge` would refuse what lies in the shared work tree."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from sandboxd.exchange import take as taking
from sandboxd.exchange import waiting_refs
from sandboxd.exchange.take import How, Took
from tests.unit.exchange.repositories import git
from tests.unit.exchange.two_sides import Sides, make

FORMS = [(), ("--object-format=sha256",), ("--ref-format=reftable",)]
WAITS = "refs/sandboxd/_/main"


@pytest.fixture
def sides(request: pytest.FixtureRequest, tmp_path: Path) -> Sides:
    sides = Sides(make(tmp_path, *getattr(request, "param", ())), tmp_path)
    sides.exchange()
    return sides


def take(
    sides: Sides, *names: str, acting: bool = False, shown: Mapping[str, str] | None = None
) -> Took:
    """Take what waits.

    :param shown: the tips that somebody looked at; None: as they are now
    """
    identity = {"user.name": "Ann", "user.email": "ann@example.org"}
    if shown is None:
        shown = taking.waiting(sides.repository, sides.place, sides.name)
    return taking.take(
        sides.repository, sides.place, sides.name, names, shown, acting=acting, identity=identity
    )


def diverge(sides: Sides, ours: str = "ours", theirs: str = "theirs") -> None:
    """A commit of a new file on each side, of which neither has the other's."""
    sides.write(theirs, "inside\n")
    sides.inside("add", theirs)
    sides.inside("commit", "-qm", "inside")
    sides.write(ours, "host\n")
    sides.host("add", ours)
    sides.host("commit", "-qm", "host")
    (waiting,) = sides.exchange().waiting
    assert waiting.ref == WAITS


def state(sides: Sides) -> dict[str, bytes]:
    """HEAD, index, refs and files of the host."""
    files = {
        str(path): path.read_bytes()
        for path in sides.folder.rglob("*")
        if path.is_file() and not {"logs", "objects"} & set(path.parts)
    }
    return {**files, "refs": sides.host("for-each-ref").encode()}


@pytest.mark.parametrize("sides", FORMS, ids=["files", "sha256", "reftable"], indirect=True)
def test_commits_of_both_sides_are_merged_where_git_merge_refuses(sides: Sides) -> None:
    diverge(sides)
    with pytest.raises(subprocess.CalledProcessError):
        sides.host("merge", "-q", "--no-edit", WAITS)
    before = (sides.folder / "theirs").stat()
    took = take(sides)
    assert [(one.into, one.how) for one in took.takes] == [("refs/heads/main", How.MERGED)]
    assert not took.stays and took.checked_out
    assert sides.host("log", "-1", "--format=%an <%ae> %s") == (
        "Ann <ann@example.org> Merge `main` of the sandbox\n"
    )
    assert sides.host("log", "-1", "--format=%P").split() == [
        sides.host("rev-parse", "HEAD~1").strip(),
        sides.inside("rev-parse", "main").strip(),
    ]
    assert sides.host("status", "--porcelain") == ""
    assert (sides.folder / "theirs").stat() == before
    assert WAITS not in sides.host("for-each-ref").split()
    sides.exchange()
    for words in (("rev-parse", "HEAD"), ("status", "--porcelain")):
        assert sides.inside(*words) == sides.host(*words)
    sides.host("fsck", "--strict")


def test_a_conflict_is_said_and_changes_nothing(sides: Sides) -> None:
    diverge(sides, "same", "same")
    before = state(sides)
    (stay,) = take(sides).stays
    assert stay.why == "both sides changed `same`"
    assert f"git merge {WAITS}" in stay.hint
    assert state(sides) == before


def test_the_way_by_hand_that_a_conflict_names_works(sides: Sides) -> None:
    diverge(sides, "same", "same")
    sides.write("beside", "mine\n")
    sides.host("stash", "-q", "--include-untracked")
    with pytest.raises(subprocess.CalledProcessError):
        sides.host("merge", "-q", "--no-edit", WAITS)
    assert "AA same" in sides.host("status", "--porcelain")


def test_what_is_staged_elsewhere_stays_staged(sides: Sides) -> None:
    diverge(sides)
    sides.write("more", "staged\n")
    sides.host("add", "more")
    assert take(sides).takes
    assert sides.host("status", "--porcelain") == "A  more\n"


def test_what_is_staged_in_the_way_is_not_lost(sides: Sides) -> None:
    diverge(sides)
    sides.write("theirs", "staged\n")
    sides.host("add", "theirs")
    before = state(sides)
    (stay,) = take(sides).stays
    assert stay.why == "what is staged on the host is in the way"
    assert state(sides) == before


@pytest.mark.parametrize("name", ["MERGE_HEAD", "index.lock"])
def test_a_host_in_the_middle_of_something_is_left_alone(sides: Sides, name: str) -> None:
    diverge(sides)
    Path(sides.repository.own, name).write_text(sides.host("rev-parse", "HEAD"))
    before = state(sides)
    (stay,) = take(sides).stays
    assert "in the middle of an operation of git" in stay.why
    assert state(sides) == before


def test_a_branch_that_is_not_checked_out_is_merged_without_the_index(sides: Sides) -> None:
    sides.inside("update-ref", "refs/heads/feature/a", new_commit(sides, "refs/heads/feature/a"))
    other = sides.host("commit-tree", "-p", "feature/a", "-m", "host", "feature/a^{tree}").strip()
    sides.host("branch", "-f", "feature/a", other)
    assert [w.ref for w in sides.exchange().waiting] == ["refs/sandboxd/_/feature/a"]
    index = Path(sides.repository.own, "index").read_bytes()
    took = take(sides, "feature/a")
    assert [one.how for one in took.takes] == [How.MERGED]
    assert not took.checked_out
    assert Path(sides.repository.own, "index").read_bytes() == index
    sides.exchange()
    assert sides.inside("rev-parse", "feature/a") == sides.host("rev-parse", "feature/a")


def test_a_branch_that_the_host_deleted_is_made_again(sides: Sides) -> None:
    sides.inside("update-ref", "refs/heads/feature/a", new_commit(sides, "refs/heads/feature/a"))
    sides.host("branch", "-D", "feature/a")
    sides.exchange()
    assert [one.how for one in take(sides).takes] == [How.NEW]
    assert sides.host("rev-parse", "feature/a") == sides.inside("rev-parse", "feature/a")


def test_a_branch_that_would_hide_another_gets_a_name_of_its_own_and_waits_no_more(
    tmp_path: Path,
) -> None:
    sides = Sides(make(tmp_path), tmp_path)
    sides.exchange()
    sides.inside("update-ref", "refs/heads/v1", new_commit(sides, "main"))
    assert sides.exchange().waiting
    (one,) = take(sides).takes
    assert one.into == "refs/heads/from-sandbox/v1"
    assert not sides.exchange().waiting
    assert "refs/sandboxd/_/v1" not in sides.host("for-each-ref")


def test_a_tag_moves_by_its_name_alone(sides: Sides) -> None:
    sides.inside("tag", "-f", "v1", "main~1")
    sides.exchange()
    assert take(sides) == Took()
    assert [one.into for one in take(sides, "tags/v1").takes] == ["refs/tags/v1"]
    assert sides.host("rev-parse", "v1") == sides.host("rev-parse", "main~1")


def test_what_enters_a_repository_is_taken_where_that_is_asked_for(sides: Sides) -> None:
    oid = sides.host("rev-parse", "main").strip()
    sides.inside("update-index", "--add", "--cacheinfo", f"160000,{oid},sub")
    sides.inside("commit", "-qm", "a repository below")
    sides.exchange()
    before = state(sides)
    (stay,) = take(sides, "main").stays
    assert "nested repository" in stay.why
    assert state(sides) == before
    assert take(sides, "main", acting=True).takes
    assert "160000" in sides.host("ls-files", "-s")


def test_a_branch_of_another_work_tree_is_taken_there(tmp_path: Path) -> None:
    sides = Sides(make(tmp_path), tmp_path)
    sides.exchange()
    git(sides.folder, "worktree", "add", "-q", str(sides.folder.parent / "other"), "feature/a")
    sides.inside("update-ref", "refs/heads/feature/a", new_commit(sides, "refs/heads/feature/a"))
    (waiting,) = sides.exchange().waiting
    (stay,) = take(sides).stays
    assert (stay.why, stay.hint) == (
        "another work tree has it checked out",
        f"in that work tree: `git merge {waiting.ref}`",
    )


def test_a_tip_that_moved_since_it_was_shown_is_refused_with_the_next_command(sides: Sides) -> None:
    diverge(sides)
    shown = taking.waiting(sides.repository, sides.place, sides.name)
    assert shown == {"main": sides.inside("rev-parse", "main").strip()}
    sides.write("more", "inside\n")
    sides.inside("add", "more")
    sides.inside("commit", "-qm", "more")
    sides.exchange()
    before, now = state(sides), sides.inside("rev-parse", "main").strip()
    for acting in (False, True):
        (stay,) = take(sides, "main", acting=acting, shown=shown).stays
        assert stay.why == f"it was `{shown['main']}` when it was looked at, and is `{now}` now"
        assert f"`sandboxd review --take main --expect {now}` takes just that" in stay.hint
        assert state(sides) == before
    (stay,) = take(sides, shown={}).stays
    assert stay.why == f"it came while this command ran, as `{now}`"
    assert state(sides) == before
    command = stay.hint.partition("`")[2].partition("`")[0].split()[1:]
    assert "+++ b/more" in sides.host(*command)
    assert take(sides, "main", shown={"main": now}).takes


def test_a_name_that_nothing_waits_under_is_said(sides: Sides) -> None:
    diverge(sides)
    (stay,) = take(sides, "nothing").stays
    assert (stay.why, stay.hint) == ("nothing of that name waits", "what waits: `main`")


def test_git_that_merges_in_a_work_tree_alone_is_said(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    diverge(sides)
    old = sides.folder.parent / "git"
    old.write_text('#!/bin/sh\n[ "$1" = merge-tree ] && exit 129\nexec git "$@"\n')
    old.chmod(0o755)
    monkeypatch.setattr("sandboxd.exchange.host_git._find_git", lambda: str(old))
    before = state(sides)
    (stay,) = take(sides).stays
    assert stay.why == "git on the host merges only in a work tree"
    assert stay.hint.startswith("git 2.38, or `git stash")
    assert state(sides) == before


def test_the_host_moves_while_it_is_merged(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    diverge(sides)
    merge = taking._One._merge

    def commit_meanwhile(one: taking._One, old: str) -> str:
        new = merge(one, old)
        sides.host("commit", "--allow-empty", "-qm", "meanwhile")
        return new

    monkeypatch.setattr(taking._One, "_merge", commit_meanwhile)
    assert take(sides).stays
    assert sides.host("log", "-1", "--format=%s") == "meanwhile\n"
    monkeypatch.undo()
    assert [one.how for one in take(sides).takes] == [How.MERGED]


def test_status_and_review_name_the_command_for_each(tmp_path: Path) -> None:
    sides = Sides(make(tmp_path), tmp_path)
    sides.exchange()
    diverge(sides)
    environ = {"XDG_STATE_HOME": os.fspath(tmp_path / "state")}
    assert waiting_refs.lines(str(sides.folder), environ) == (
        f"`{WAITS}` waits: `sandboxd review --take main` takes it",
    )


def new_commit(sides: Sides, on: str) -> str:
    return sides.inside("commit-tree", "-p", on, "-m", "inside", f"{on}^{{tree}}").strip()
