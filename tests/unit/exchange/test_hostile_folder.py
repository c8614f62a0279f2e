"""A sandbox may put anything into its own git directory: nothing of it is followed, run or believed on the host."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sandboxd.exchange import run
from sandboxd.exchange.difference import Reason
from sandboxd.exchange.run import Problem, exchange
from tests.unit.exchange.two_sides import Sides, make

SECRET = "secret of the host\n"


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text(SECRET)
    sides = Sides(make(tmp_path), tmp_path)
    sides.exchange()
    return sides


def inside(sides: Sides) -> Path:
    return Path(sides.place.inside)


def outside(sides: Sides) -> Path:
    return sides.folder.parent / "outside"


def replace(path: Path, target: Path) -> None:
    """Put a link to `target` in the place of `path`."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def unharmed(sides: Sides, before: str) -> None:
    """The host's refs are as before, and nothing was written outside."""
    assert sides.host("for-each-ref", "refs/heads", "refs/tags") == before
    assert (outside(sides) / "file").read_text() == SECRET
    assert sorted(os.listdir(outside(sides))) == ["file"]
    sides.host("fsck")


PLACES = ("HEAD", "index", "packed-refs", "refs", "refs/heads", "refs/heads/feature", "logs")
PLACES += ("logs/HEAD", "logs/refs", "logs/refs/heads/main", "refs/heads/main", "refs/stash")


@pytest.mark.parametrize("place", PLACES)
def test_no_link_is_followed(sides: Sides, place: str) -> None:
    for number, target in enumerate(("outside", "outside/file", "missing")):
        replace(inside(sides) / place, sides.folder.parent / target)
        sides.host("commit", "--allow-empty", "-qm", "host")
        sides.host("branch", f"feature/{number}")
        before = sides.host("for-each-ref", "refs/heads", "refs/tags")
        exchange(sides.repository, sides.place, "", sides.transfer)
        unharmed(sides, before)
        assert not (sides.folder.parent / "missing").exists()


@pytest.mark.parametrize("place", ["HEAD", "index", "packed-refs", "refs/heads/fifo", "logs/HEAD"])
def test_a_pipe_holds_nobody_up(sides: Sides, place: str) -> None:
    path = inside(sides) / place
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    sides.host("commit", "--allow-empty", "-qm", "host")
    before = sides.host("for-each-ref", "refs/heads", "refs/tags")
    exchange(sides.repository, sides.place, "", sides.transfer)
    unharmed(sides, before)


NAMES = (
    *("refs/heads/../../x", "../../x", "refs/heads/a\tb", "refs/heads/a\x1b[31m", "refs/heads/a b"),
    *("refs/heads/.hidden", "refs/heads/a.lock", "refs/heads/a..b", "refs/heads/a@{1}"),
    *("refs/heads/a\\b", "refs/heads/", "refs/heads//a", "refs/x", "refs/sandboxd/main/held/x"),
    f"refs/heads/{'a' * 300}",
    "refs/heads/" + "a/" * 600 + "b",
)


def test_a_name_that_git_does_not_allow_never_comes(sides: Sides) -> None:
    before = sides.host("for-each-ref")
    oid = sides.host("rev-parse", "main").strip()
    with (inside(sides) / "packed-refs").open("a") as file:
        file.writelines(f"{oid} {name}\n" for name in NAMES)
    outcome = exchange(sides.repository, sides.place, "", sides.transfer)
    assert outcome.problem is None
    assert outcome.refused
    assert not outcome.brought
    assert sides.host("for-each-ref") == before
    assert not (sides.folder / "x").exists()


def test_a_new_name_never_hides_a_ref_of_the_host(sides: Sides) -> None:
    names = ("origin/main", "v1", "HEAD", "-f", "deadbeef", "refs/heads/main")
    sides.host("update-ref", "refs/remotes/origin/main", "main~1")
    sides.exchange()
    commit = sides.inside("commit-tree", "-m", "trap", "main^{tree}").strip()
    with (inside(sides) / "packed-refs").open("a") as file:
        file.writelines(f"{commit} refs/heads/{name}\n" for name in names)
        file.write(f"{commit} refs/tags/feature/a\n")
    before = sides.host("rev-parse", "origin/main", "v1", "feature/a", "HEAD", "main")
    outcome = sides.exchange()
    assert {held.reason for held in outcome.waiting} == {Reason.HIDES}
    assert len(outcome.waiting) == 7
    assert all(held.ref for held in outcome.waiting)
    assert sides.host("rev-parse", "origin/main", "v1", "feature/a", "HEAD", "main") == before


@pytest.mark.parametrize("text", ["ref: refs/heads/../../x\n", "ref: refs/tags/v1\n", "x\n", ""])
def test_a_head_that_git_does_not_write_moves_nothing(sides: Sides, text: str) -> None:
    (inside(sides) / "HEAD").write_text(text)
    before = sides.host("for-each-ref")
    assert not sides.exchange().host_followed
    assert sides.host("for-each-ref") == before
    assert sides.host("symbolic-ref", "HEAD") == "refs/heads/main\n"


def test_a_ref_to_a_missing_object_holds_up_no_other(sides: Sides) -> None:
    sides.inside("commit", "--allow-empty", "-qm", "good")
    (inside(sides) / "refs/heads/bad").write_text(f"{'12' * 20}\n")
    outcome = sides.exchange()
    assert outcome.host_followed
    assert [(held.name, held.reason) for held in outcome.waiting] == [
        ("refs/heads/bad", Reason.MISSING)
    ]
    assert "does not give its commits" in outcome.why
    assert "refs/heads/bad" not in sides.host("for-each-ref")


def test_objects_that_do_not_pass_a_check_stay(sides: Sides) -> None:
    blob = sides.inside("hash-object", "-w", "file").strip()
    entry = f"100644 blob {blob}\t.git\n"
    environ = {**os.environ, "GIT_DIR": sides.place.inside}
    done = subprocess.run(
        ["git", "mktree"], input=entry, env=environ, capture_output=True, text=True, check=True
    )
    commit = sides.inside("commit-tree", "-m", "trap", done.stdout.strip()).strip()
    sides.inside("update-ref", "refs/heads/trap", commit)
    outcome = sides.exchange()
    assert [held.reason for held in outcome.waiting] == [Reason.MISSING]
    assert "hasDotgit" in outcome.why
    assert not outcome.brought


@pytest.mark.parametrize("sent", [b"", b"PACK", b"x" * 100, b"PACK" + bytes(60)])
def test_a_pack_that_is_none_is_refused(sides: Sides, sent: bytes) -> None:
    sides.inside("commit", "--allow-empty", "-qm", "inside")
    outcome = exchange(
        sides.repository, sides.place, "", lambda _wanted, _have, target: target.write(sent)
    )
    assert [held.reason for held in outcome.waiting] == [Reason.MISSING]
    assert not outcome.brought


def test_a_pack_of_something_else_is_refused(sides: Sides) -> None:
    sides.inside("commit", "--allow-empty", "-qm", "inside")
    oid = sides.host("rev-parse", "main").strip()
    outcome = exchange(
        sides.repository,
        sides.place,
        "",
        lambda _wanted, _have, target: sides.transfer([oid], [], target),
    )
    assert [held.reason for held in outcome.waiting] == [Reason.MISSING]


def test_a_nested_repository_and_gitmodules_wait(sides: Sides) -> None:
    oid = sides.host("rev-parse", "main").strip()
    sides.inside("update-index", "--add", "--cacheinfo", f"160000,{oid},sub")
    sides.inside("commit", "-qm", "a repository below")
    # Also where a later commit takes it away again: a checkout of the one between enters it.
    sides.inside("rm", "-q", "--cached", "sub")
    sides.inside("commit", "-qm", "gone again")
    (held,) = sides.exchange().waiting
    assert (held.reason, held.ref) == (Reason.NESTED, "refs/sandboxd/_/main")
    sides.inside("reset", "-q", "--hard", oid)
    assert not sides.exchange().waiting
    sides.write(".gitmodules", '[submodule "a"]\n\tpath = a\n\turl = ./a\n')
    sides.inside("add", ".gitmodules")
    sides.inside("commit", "-qm", "modules")
    (held,) = sides.exchange().waiting
    assert held.reason is Reason.NESTED


def test_an_index_of_another_form_is_never_taken_nor_replaced(sides: Sides) -> None:
    (inside(sides) / "index").write_bytes(b"DIRC" + bytes(8) + os.urandom(200))
    sides.host("commit", "--allow-empty", "-qm", "host")
    outcome = sides.exchange()
    assert not outcome.inside_followed
    assert [held.reason for held in outcome.stays] == [Reason.NO_INDEX]


def test_a_lock_that_is_never_given_back_is_said(sides: Sides) -> None:
    (inside(sides) / "index.lock").write_text("")
    sides.host("commit", "--allow-empty", "-qm", "host")
    outcome = sides.exchange()
    assert [held.reason for held in outcome.stays] == [Reason.INSIDE_BUSY]
    assert (inside(sides) / "index.lock").exists()


def test_more_refs_than_are_read_end_the_exchange(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandboxd.exchange.own_refs._MOST_REFS", 100)
    oid = sides.host("rev-parse", "main").strip()
    with (inside(sides) / "packed-refs").open("a") as file:
        file.writelines(f"{oid} refs/heads/b{number}\n" for number in range(200))
    outcome = exchange(sides.repository, sides.place, "", sides.transfer)
    assert outcome.problem is Problem.UNREADABLE
    assert "more than" in outcome.why
    assert outcome.hint


def test_a_huge_list_of_refs_is_not_read(sides: Sides) -> None:
    path = inside(sides) / "packed-refs"
    with path.open("wb") as file:
        file.truncate(64 << 20)
    before = sides.host("for-each-ref", "refs/heads")
    outcome = exchange(sides.repository, sides.place, "", sides.transfer)
    assert outcome.problem is Problem.UNREADABLE
    assert sides.host("for-each-ref", "refs/heads") == before


TRAPS: dict[str, Callable[[Sides, str], object]] = {
    "hooks": lambda sides, script: [
        _program(sides.folder / ".husky" / name, script)
        for name in ("reference-transaction", "post-index-change", "post-checkout")
    ],
    "fsmonitor": lambda sides, script: sides.host("config", "core.fsmonitor", script),
    "filter": lambda sides, script: sides.host("config", "filter.x.clean", script),
    "alternates": lambda sides, script: sides.host("config", "core.alternateRefsCommand", script),
    "pager": lambda sides, script: sides.host("config", "core.pager", script),
    "gpg": lambda sides, script: sides.host("config", "gpg.program", script),
}


def _program(path: Path, script: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("trap", TRAPS)
def test_nothing_that_the_host_has_configured_runs(sides: Sides, trap: str) -> None:
    mark = outside(sides).parent / "PWNED"
    sides.write(".gitattributes", "* filter=x\n")
    sides.inside("add", "-A")
    sides.inside("commit", "-qm", "attributes")
    sides.exchange()
    TRAPS[trap](sides, f"touch {mark}; cat")
    sides.host("config", "core.hooksPath", ".husky")
    mark.unlink(missing_ok=True)
    sides.inside("commit", "--allow-empty", "-qm", "inside")
    sides.inside("switch", "-qc", "topic")
    outcome = sides.exchange()
    assert outcome.host_followed
    assert not mark.exists()


def test_a_host_without_git_is_said(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_args, **_kwargs: None)
    outcome = exchange(sides.repository, sides.place, "", sides.transfer)
    assert outcome.problem is Problem.NO_GIT
    assert "install git" in outcome.hint


def test_a_link_in_the_host_s_own_refs_is_not_written_through(sides: Sides) -> None:
    log = Path(sides.repository.common, "logs", "refs", "heads", "main")
    log.unlink()
    log.symlink_to(outside(sides) / "file")
    sides.inside("commit", "--allow-empty", "-qm", "inside")
    outcome = sides.exchange()
    assert not outcome.host_followed
    assert (outside(sides) / "file").read_text() == SECRET


def test_nothing_is_made_where_a_project_was_before_it_was_moved(sides: Sides) -> None:
    sides.exchange()
    sides.folder.rename(sides.folder.with_name("moved"))
    outcome = run.exchange(sides.repository, sides.place, sides.name, sides.transfer)
    assert outcome.problem is not None
    assert not sides.folder.exists()
