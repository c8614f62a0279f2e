"""Commits that would leave the host's repository broken, or stop a sandbox from ending."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sandboxd.review import bundles, rescue
from sandboxd.review.bundles import CannotBring
from tests.unit.review.test_bundles import bundle, commit, git, host, inside

__all__ = ["host", "inside"]


def test_ids_of_another_kind_do_not_enter(tmp_path: Path, host: Path) -> None:
    """Git on the host would end with `fatal: bad object` for each `git log --all`."""
    other = tmp_path / "other"
    git(tmp_path, "init", "-q", "-b", "main", "--object-format=sha256", str(other))
    commit(other)
    with pytest.raises(CannotBring, match="ids are of another kind"):
        bundles.bring(str(host), bundle(other, "--branches"), "now")
    assert not list((host / ".git/objects/pack").iterdir())


def test_a_repository_of_sha256_gets_its_commits(tmp_path: Path) -> None:
    root, inside = tmp_path / "root", tmp_path / "inside"
    for folder in (root, inside):
        git(tmp_path, "init", "-q", "-b", "main", "--object-format=sha256", str(folder))
    oid = commit(inside)
    assert bundles.bring(str(root), bundle(inside, "--branches"), "now")
    assert git(root, "rev-parse", "refs/sandboxd/now/main") == oid


def test_branches_of_the_same_spelling_are_kept_apart(host: Path, inside: Path) -> None:
    commit(inside)
    for name in ("x@y", "x-y", "z@", "z-/a", "worktree"):
        git(inside, "branch", "-q", name)
    commit(inside, "c")
    git(inside, "update-ref", "refs/sandboxd/worktree", "HEAD")
    refs = bundles.bring(str(host), bundle(inside, "--branches", "refs/sandboxd/worktree"), "now")
    assert sorted(refs) == [
        f"refs/sandboxd/now/{name}"
        for name in ("main", "worktree", "worktree-2", "x-y", "x-y-2", "z--2", "z-/a")
    ]
    head = git(inside, "rev-parse", "HEAD")
    assert git(host, "rev-parse", "refs/sandboxd/now/worktree") == head


def test_commits_that_are_here_already_and_a_name_that_is_taken(host: Path, inside: Path) -> None:
    whole = bundle(inside, "--branches")
    assert bundles.bring(str(host), whole, "now") == ["refs/sandboxd/now/main"]
    git(inside, "branch", "-q", "another")
    with pytest.raises(CannotBring, match="`refs/sandboxd/now` is there already"):
        bundles.bring(str(host), bundle(inside, "--branches"), "now")
    assert git(host, "for-each-ref", "--format=%(refname)", "refs/sandboxd") == (
        "refs/sandboxd/now/main"
    )


def test_two_sandboxes_bring_their_commits_within_one_second(
    host: Path, inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock:
        @staticmethod
        def now() -> datetime:
            return datetime(2026, 11, 30, 22, 15, 7)

    class Changes:
        workspace = str(host)
        name = ""
        problem = ""
        bundle = object()

        def bundle_bytes(self) -> bytes:
            return bundle(inside, "--branches")

    monkeypatch.setattr(rescue, "datetime", Clock)
    changes: Any = Changes()
    commit(inside)
    assert rescue.bring_commits(changes) == (("refs/sandboxd/20261130-221507/main",), "")
    oid = commit(inside, "c")
    git(inside, "branch", "-q", "another")
    refs, problem = rescue.bring_commits(changes)
    assert sorted(refs) == [
        "refs/sandboxd/20261130-221507-2/another",
        "refs/sandboxd/20261130-221507-2/main",
    ]
    assert problem == "" and git(host, "rev-parse", refs[0]) == oid
    changes.name = "claude"
    refs, _ = rescue.bring_commits(changes)
    assert "refs/sandboxd/claude-20261130-221507/main" in refs


def test_no_more_branches_than_anybody_makes(host: Path, inside: Path) -> None:
    head = git(inside, "rev-parse", "HEAD")
    refs = "".join(f"create refs/heads/b{number} {head}\n" for number in range(501))
    git(inside, "update-ref", "--stdin", data=refs.encode())
    with pytest.raises(CannotBring, match="more than 500 branches"):
        bundles.bring(str(host), bundle(inside, "--branches"), "now")
