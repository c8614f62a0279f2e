"""Each sandbox has refs of its own on the host, whatever its name and whichever work tree it is of."""

from __future__ import annotations

import json
import os
from itertools import product
from pathlib import Path

import pytest

from sandboxd.exchange import ref_names, take, waiting_refs
from sandboxd.exchange.place import place_of
from sandboxd.model.sandbox_id import check_name
from tests.unit.exchange.repositories import git
from tests.unit.exchange.two_sides import Sides, make

NAMES = ("", "main", "login", "a.b", "a..b", "a.lock", "a.", "20261130-120000")
WORKTREES = ("", "login", "main", "a.lock", "with space", "x@y")


def test_no_two_have_the_same_refs() -> None:
    owners = [ref_names.owner(name, tree) for name, tree in product(NAMES, WORKTREES)]
    assert len({owner.casefold() for owner in owners}) == len(owners)
    for owner in owners:
        assert ref_names.is_allowed(f"{ref_names.below(owner)}main"), owner


@pytest.mark.parametrize("worktree", WORKTREES)
@pytest.mark.parametrize("name", NAMES)
def test_the_name_can_be_told_from_the_refs(name: str, worktree: str) -> None:
    check_name(name)
    assert ref_names.sandbox_of(ref_names.owner(name, worktree)) == name


def held(sides: Sides, owner: str) -> list[str]:
    words = ("for-each-ref", "--format=%(refname)", f"refs/sandboxd/{owner}/")
    return git(sides.folder, *words).split()


def as_of_old(sides: Sides, old: str) -> None:
    """The refs of a sandbox, and its record, as they were written once."""
    for ref in held(sides, ref_names.owner(sides.name, sides.repository.name)):
        oid = sides.host("rev-parse", ref).strip()
        rest = ref_names.parts_of(ref)[1]
        sides.host("update-ref", f"refs/sandboxd/{old}/{rest}", oid)
        sides.host("update-ref", "-d", ref)
    record = json.loads(Path(sides.place.agreed).read_text())
    del record["owner"], record["from_inside"]
    Path(sides.place.agreed).write_text(json.dumps(record))


def waiting(base: Path, folder: Path, name: str = "") -> Sides:
    """A sandbox of which a commit waits on the host."""
    sides = named(base, folder, name)
    sides.exchange()
    commit = sides.inside("commit-tree", "-p", "HEAD", "-m", f"of {name}", "HEAD^{tree}").strip()
    sides.inside("tag", "-f", "v1", commit)
    assert sides.exchange().waiting
    return sides


def named(base: Path, folder: Path, name: str) -> Sides:
    sides = Sides(folder, base, f"//{name}" if name else "")
    sides.name = name
    return sides


def test_refs_of_old_get_their_names_and_what_waits_can_be_taken(tmp_path: Path) -> None:
    sides = waiting(tmp_path, make(tmp_path))
    before = [ref_names.parts_of(ref)[1] for ref in held(sides, "_")]
    as_of_old(sides, "main")
    environ = {"XDG_STATE_HOME": os.fspath(tmp_path / "state")}
    assert waiting_refs.lines(str(sides.folder), environ) == (
        "`refs/sandboxd/main/tags/v1` waits: `sandboxd review --take tags/v1` takes it",
    )
    sides.exchange()
    assert [ref_names.parts_of(ref)[1] for ref in held(sides, "_")] == before
    assert held(sides, "main") == []
    assert waiting_refs.lines(str(sides.folder), environ) == (
        "`refs/sandboxd/_/tags/v1` waits: `sandboxd review --take tags/v1` takes it",
    )


def test_they_can_be_taken_before_an_exchange_moved_them(tmp_path: Path) -> None:
    sides = waiting(tmp_path, make(tmp_path))
    as_of_old(sides, "main")
    shown = {"tags/v1": sides.inside("rev-parse", "v1").strip()}
    took = take.take(sides.repository, sides.place, "", ["tags/v1"], shown)
    assert [one.into for one in took.takes] == ["refs/tags/v1"]


def test_one_named_main_keeps_what_was_shared(tmp_path: Path) -> None:
    folder = make(tmp_path)
    unnamed, main = waiting(tmp_path, folder), waiting(tmp_path, folder, "main")
    as_of_old(unnamed, "main")
    shared = held(main, "main")
    unnamed.exchange()
    assert set(shared) <= {*held(main, "main")}
    assert "refs/sandboxd/_/tags/v1" in held(unnamed, "_")
    main.exchange()
    assert "refs/sandboxd/_/tags/v1" in held(unnamed, "_")


def test_sandboxes_of_two_work_trees_hold_each_their_own(tmp_path: Path) -> None:
    folder = make(tmp_path)
    git(folder, "worktree", "add", "-q", "-b", "other", str(folder.parent / "linked"))
    first, second = named(tmp_path, folder, ""), named(tmp_path, folder.parent / "linked", "")
    for sides, name in ((first, "a"), (second, "b")):
        sides.exchange()
        sides.inside("commit", "--allow-empty", "-qm", name)
        sides.exchange()
    ours, theirs = held(first, "_"), held(first, "_@linked")
    assert ours and theirs
    for sides in (first, second):
        sides.exchange()
    assert (held(first, "_"), held(first, "_@linked")) == (ours, theirs)
    environ = {"XDG_STATE_HOME": os.fspath(tmp_path / "state")}
    second.inside("tag", "-f", "v1", "HEAD")
    second.exchange()
    assert waiting_refs.lines(str(first.folder), environ) == ()
    (line,) = waiting_refs.lines(str(second.folder), environ)
    assert "`refs/sandboxd/_@linked/tags/v1` waits" in line


def test_the_last_of_two_work_trees_removes_what_they_shared(tmp_path: Path) -> None:
    folder = make(tmp_path)
    git(folder, "worktree", "add", "-q", "-b", "other", str(folder.parent / "linked"))
    first, second = waiting(tmp_path, folder), named(tmp_path, folder.parent / "linked", "")
    second.exchange()
    for sides in (first, second):
        as_of_old(sides, "main")
    first.exchange()
    assert held(first, "main")
    second.exchange()
    assert held(first, "main") == []
    assert "refs/sandboxd/_/tags/v1" in held(first, "_")


def test_a_sandbox_that_never_exchanged_takes_no_refs_of_others(tmp_path: Path) -> None:
    folder = make(tmp_path)
    main = waiting(tmp_path, folder, "main")
    unnamed = named(tmp_path, folder, "")
    unnamed.exchange()
    assert "refs/sandboxd/_/tags/v1" not in held(unnamed, "_")
    assert "refs/sandboxd/main/tags/v1" in held(main, "main")
    assert place_of({"XDG_STATE_HOME": str(tmp_path / "state")}, str(folder)) == unnamed.place
