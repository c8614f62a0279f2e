"""What is done on one side is there on the other after an exchange, in every form of repository."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

import pytest

from sandboxd.exchange import trace, waiting_refs
from sandboxd.exchange.difference import Reason
from tests.unit.exchange.repositories import git
from tests.unit.exchange.two_sides import Sides, make

FORMS = [(), ("--object-format=sha256",), ("--ref-format=reftable",)]


@pytest.fixture(params=FORMS, ids=["files", "sha256", "reftable"])
def sides(request: pytest.FixtureRequest, tmp_path: Path) -> Sides:
    return Sides(make(tmp_path, *request.param), tmp_path)


def equal(sides: Sides) -> None:
    """Both sides have the same commit, branch and staged changes, and are whole."""
    for words in (
        ("rev-parse", "HEAD"),
        ("status", "--porcelain=v2", "--branch"),
        ("ls-files", "-s"),
    ):
        assert sides.host(*words) == sides.inside(*words)
    for side in (sides.host, sides.inside):
        side("fsck", "--strict")


def test_nothing_passes_where_nothing_happened(sides: Sides) -> None:
    outcome = sides.exchange()
    assert not outcome.moved
    assert not outcome.waiting
    assert not outcome.stays


def test_a_commit_inside_moves_the_branch_head_and_index_of_the_host(sides: Sides) -> None:
    sides.exchange()
    sides.write("new", "inside\n")
    sides.inside("add", "new")
    sides.exchange()
    sides.inside("commit", "-qm", "inside")
    outcome = sides.exchange()
    assert [move.name for move in outcome.brought] == ["refs/heads/main"]
    assert sides.host("log", "-1", "--format=%s") == "inside\n"
    assert sides.host("status", "--porcelain") == ""
    assert "sandboxd: from the sandbox" in sides.host("reflog")
    equal(sides)


def test_a_commit_and_a_staged_file_of_the_host_are_there_inside(sides: Sides) -> None:
    sides.exchange()
    sides.write("a", "host\n")
    sides.host("add", "a")
    sides.exchange()
    assert sides.inside("status", "--porcelain") == "A  a\n"
    sides.host("commit", "-qm", "host")
    sides.exchange()
    assert sides.inside("log", "-1", "--format=%s") == "host\n"
    equal(sides)


@pytest.mark.parametrize("first", ["host", "inside"])
def test_a_switch_of_one_side_is_followed_by_the_other(sides: Sides, first: str) -> None:
    sides.exchange()
    getattr(sides, first)("switch", "-q", "feature/a")
    sides.exchange()
    equal(sides)
    getattr(sides, first)("switch", "-q", "--detach", "main")
    sides.exchange()
    equal(sides)
    getattr(sides, first)("switch", "-qc", "of-its-own")
    sides.exchange()
    equal(sides)


def test_amended_rebased_and_deleted_branches_pass(sides: Sides) -> None:
    sides.exchange()
    sides.inside("commit", "--amend", "-qm", "amended inside")
    sides.inside("branch", "-f", "feature/a", "main")
    sides.exchange()
    equal(sides)
    assert sides.host("rev-parse", "feature/a") == sides.host("rev-parse", "main")
    sides.host("branch", "-D", "feature/a")
    sides.host("commit", "--amend", "-qm", "amended on the host")
    sides.exchange()
    equal(sides)
    assert "feature/a" not in sides.inside("for-each-ref")
    sides.host("branch", "feature/a/b")
    sides.exchange()
    assert "refs/heads/feature/a/b" in sides.inside("for-each-ref")


def test_a_branch_that_is_deleted_inside_stays_on_the_host(sides: Sides) -> None:
    sides.exchange()
    sides.inside("branch", "-D", "feature/a")
    assert not sides.exchange().moved
    assert "refs/heads/feature/a" in sides.host("for-each-ref")


def test_commits_of_both_sides_wait_until_the_host_takes_them(sides: Sides) -> None:
    sides.exchange()
    sides.inside("commit", "--allow-empty", "-qm", "inside")
    sides.host("commit", "--allow-empty", "-qm", "host")
    theirs = sides.inside("rev-parse", "main").strip()
    (waiting,) = sides.exchange().waiting
    assert waiting.reason is Reason.DIVERGED
    assert waiting.ref == "refs/sandboxd/_/main"
    assert sides.host("rev-parse", waiting.ref).strip() == theirs
    sides.host("merge", "-qm", "both", waiting.ref)
    outcome = sides.exchange()
    assert not outcome.waiting
    assert "refs/sandboxd/_/main" not in sides.host("for-each-ref").split()
    equal(sides)


def test_a_stash_inside_has_a_ref_on_the_host(sides: Sides) -> None:
    sides.exchange()
    sides.write("file", "work\n")
    sides.inside("stash", "-q")
    sides.write("file", "more work\n")
    sides.inside("stash", "-q")
    assert sides.exchange().stashes == 2
    assert sides.host("show", "refs/sandboxd/_/stash/0:file") == "more work\n"
    assert sides.host("show", "refs/sandboxd/_/stash/1:file") == "work\n"


def test_a_merge_under_way_on_the_host_holds_the_branch(sides: Sides) -> None:
    sides.exchange()
    sides.host("switch", "-qc", "other", "main~1")
    sides.host("commit", "--allow-empty", "-qm", "other")
    sides.host("merge", "-q", "--no-ff", "--no-commit", "main")
    sides.exchange()
    sides.inside("switch", "-q", "main")
    outcome = sides.exchange()
    assert not outcome.host_followed
    assert sides.host("symbolic-ref", "HEAD") == "refs/heads/other\n"


def test_an_index_lock_of_somebody_else_is_never_removed(sides: Sides) -> None:
    sides.exchange()
    lock = Path(sides.repository.own, "index.lock")
    lock.write_text("")
    sides.inside("commit", "--allow-empty", "-qm", "inside")
    (waiting,) = sides.exchange().waiting
    assert waiting.reason is Reason.HOST_BUSY
    assert lock.exists()
    lock.unlink()
    assert sides.exchange().host_followed
    equal(sides)


def test_what_the_host_has_staged_is_never_lost(sides: Sides) -> None:
    sides.exchange()
    sides.inside("commit", "--allow-empty", "-qm", "inside")
    sides.write("a", "staged\n")
    sides.host("add", "a")
    (waiting,) = sides.exchange().waiting
    assert waiting.reason is Reason.HOST_STAGED
    assert sides.host("status", "--porcelain") == "A  a\n"


def test_the_first_commit_of_a_repository_comes(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()

    git(folder, "init", "-q", "-b", "main")
    sides = Sides(folder.resolve(), tmp_path)
    sides.exchange()
    sides.write("a", "first\n")
    sides.inside("add", "a")
    sides.inside("commit", "-qm", "first")
    assert sides.exchange().host_followed
    equal(sides)


@pytest.mark.parametrize("form", [(), ("--ref-format=reftable",)], ids=["files", "reftable"])
def test_a_linked_work_tree_has_its_own_head(tmp_path: Path, form: tuple[str, ...]) -> None:
    main = make(tmp_path, *form)
    other = main.parent / "other"

    git(main, "worktree", "add", "-q", "-b", "other", str(other))
    sides = Sides(other, tmp_path)
    sides.exchange()
    sides.write("a", "first\n")
    sides.inside("add", "a")
    sides.inside("commit", "-qm", "in the linked one")
    sides.inside("branch", "-f", "main", "other")
    (waiting,) = sides.exchange().waiting
    assert (waiting.name, waiting.reason) == ("refs/heads/main", Reason.ELSEWHERE)
    equal(sides)
    assert git(main, "log", "-1", "--format=%s") == "two\n"
    assert "sandboxd: from the sandbox" in sides.host("reflog")
    sides.inside("switch", "-qc", "third")
    before = trace.trace(sides.repository, sides.place)
    assert sides.exchange().host_followed
    equal(sides)
    assert git(main, "symbolic-ref", "HEAD") == "refs/heads/main\n"
    assert trace.trace(sides.repository, sides.place) != before


@pytest.mark.parametrize("form", [(), ("--ref-format=reftable",)], ids=["files", "reftable"])
def test_a_branch_of_a_linked_work_tree_stays_where_it_is(
    tmp_path: Path, form: tuple[str, ...]
) -> None:
    main = make(tmp_path, *form)
    git(main, "worktree", "add", "-q", "-b", "other", str(main.parent / "other"))
    sides = Sides(main, tmp_path)
    sides.exchange()
    sides.inside("update-ref", "refs/heads/other", "main~1")
    (waiting,) = sides.exchange().waiting
    assert (waiting.name, waiting.reason) == ("refs/heads/other", Reason.ELSEWHERE)
    sides.inside("switch", "-q", "other")
    sides.exchange()
    assert sides.host("symbolic-ref", "HEAD") == "refs/heads/main\n"


def test_a_staged_version_that_inside_went_past_waits(sides: Sides) -> None:
    sides.exchange()
    sides.write("file", "staged on the host\n")
    sides.host("add", "file")
    sides.exchange()
    sides.write("file", "inside\n")
    sides.inside("commit", "-qam", "inside")
    (waiting,) = sides.exchange().waiting
    assert (waiting.reason, waiting.ref) == (Reason.HOST_STAGED, "refs/sandboxd/_/main")
    assert sides.host("show", ":file") == "staged on the host\n"
    sides.host("reset", "-q")
    assert sides.exchange().host_followed
    equal(sides)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("is_reachable", [True, False])
def test_what_root_writes_is_the_owner_s(tmp_path: Path, is_reachable: bool) -> None:
    base = tmp_path / "base"
    base.mkdir()
    folder = make(base)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 1234, 1234)
    # The folders of a test are root's alone; else they are opened, as a home is to its owner.
    opened = [p for p in folder.parents if str(p).startswith("/tmp/")] if is_reachable else []
    modes = {path: path.stat().st_mode for path in opened}
    try:
        for path in opened:
            path.chmod(0o755)
        sides = Sides(folder, base)
        sides.exchange()
        trusting = ("-c", "safe.directory=*")
        sides.inside(*trusting, "switch", "-qc", "new/branch")
        sides.inside(*trusting, "commit", "--allow-empty", "-qm", "inside")
        outcome = sides.exchange()
        assert outcome.host_followed
        assert {p.lstat().st_uid for p in Path(sides.repository.common).rglob("*")} == {1234}
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


def test_what_waits_is_listed_without_git(tmp_path: Path) -> None:
    sides = Sides(make(tmp_path), tmp_path)
    environ = {"XDG_STATE_HOME": str(tmp_path / "state")}
    sides.exchange()
    assert waiting_refs.lines(str(sides.folder), environ) == ()
    sides.inside("commit", "--allow-empty", "-qm", "inside")
    sides.host("commit", "--allow-empty", "-qm", "host")
    # A ref of `review --save` is of no sandbox that has a git directory.
    sides.host("update-ref", "refs/sandboxd/20261130-120000/main", "HEAD")
    sides.exchange()
    ref = "refs/sandboxd/_/main"
    line = f"`{ref}` waits: `sandboxd review --take main` takes it"
    assert waiting_refs.lines(str(sides.folder), environ) == (line,)
    sides.host("pack-refs", "--all")
    assert waiting_refs.lines(str(sides.folder), environ) == (line,)
    sides.host("merge", "-qm", "both", ref)
    sides.exchange()
    assert waiting_refs.lines(str(sides.folder), environ) == ()


def test_each_ref_that_waits_is_listed_with_the_command_that_takes_it(tmp_path: Path) -> None:
    sides = Sides(make(tmp_path), tmp_path)
    environ = {"XDG_STATE_HOME": str(tmp_path / "state")}
    sides.exchange()
    sandbox = "refs/sandboxd/_"
    oid = sides.host("rev-parse", "HEAD").strip()
    for name in ("tags/v1", "a/held/b", f"held/{oid}", "stash/0"):
        sides.host("update-ref", f"{sandbox}/{name}", oid)
    wanted = (
        f"`{sandbox}/a/held/b` waits: `sandboxd review --take a/held/b` takes it",
        f"`{sandbox}/tags/v1` waits: `sandboxd review --take tags/v1` takes it",
    )
    assert waiting_refs.lines(str(sides.folder), environ) == wanted
    sides.host("pack-refs", "--all")
    assert waiting_refs.lines(str(sides.folder), environ) == wanted


@pytest.mark.parametrize("options", [(), ("--update-refs",)])
def test_a_branch_that_the_host_rebases_waits_for_its_end(
    sides: Sides, options: tuple[str, ...]
) -> None:
    """Git compares it with what it was at the start, and cannot end the rebase where it moved."""
    for branch, text in (("below", "1"), ("above", "2")):
        sides.host("switch", "-q", "-c", branch)
        sides.write("a.txt", text)
        sides.host("add", "-A")
        sides.host("commit", "-qm", branch)
    sides.host("switch", "-q", "main")
    sides.write("a.txt", "3")
    sides.host("add", "-A")
    sides.host("commit", "-qm", "three")
    sides.host("switch", "-q", "above")
    sides.exchange()
    with pytest.raises(subprocess.CalledProcessError):
        sides.host("rebase", "-q", *options, "main")
    tips = {name: sides.host("rev-parse", name).strip() for name in ("above", "below")}
    new = sides.inside("commit-tree", "-m", "new", "-p", "above", "above^{tree}").strip()
    for name in tips:
        sides.inside("update-ref", f"refs/heads/{name}", new)
    outcome = sides.exchange()
    reasons = {waiting.name: waiting.reason for waiting in outcome.waiting}
    assert reasons["refs/heads/above"] is Reason.HOST_BUSY
    assert sides.host("rev-parse", "above").strip() == tips["above"]
    is_held = sides.host("rev-parse", "below").strip() == tips["below"]
    assert is_held is bool(options)
    for _ in range(2):
        sides.write("a.txt", "4")
        sides.host("add", "-A")
        with contextlib.suppress(subprocess.CalledProcessError):
            sides.host("-c", "core.editor=true", "rebase", "--continue")
    assert sides.host("branch", "--show-current").strip() == "above"
