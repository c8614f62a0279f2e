"""What a sandbox may cost the host by an exchange, and names and commits that are made to mislead its git."""

from __future__ import annotations

import hashlib
import os
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import pytest

from sandboxd.exchange import (
    acting_refs,
    difference,
    objects,
    own_refs,
    ref_names,
    waiting_refs,
    words,
)
from sandboxd.exchange.difference import Reason
from sandboxd.exchange.run import exchange
from sandboxd.plan import quiet_git
from tests.unit.exchange.repositories import git
from tests.unit.exchange.two_sides import Sides, make


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    sides = Sides(make(tmp_path), tmp_path)
    sides.exchange()
    return sides


def commit_nested(sides: Sides) -> str:
    """A commit on what is checked out inside that enters a repository below; its id."""
    oid = sides.host("rev-parse", "main").strip()
    sides.inside("update-index", "--add", "--cacheinfo", f"160000,{oid},sub")
    sides.inside("commit", "-qm", "a repository below")
    return sides.inside("rev-parse", "HEAD").strip()


def add_refs(sides: Sides, *lines: str) -> None:
    with Path(sides.place.inside, "packed-refs").open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


@pytest.mark.parametrize("kind", ["tree", "tag", "blob"])
@pytest.mark.parametrize("is_branch", [True, False])
def test_a_head_that_is_no_commit_is_never_checked_out(
    sides: Sides, kind: str, is_branch: bool
) -> None:
    oid = sides.host("rev-parse", "main").strip()
    commit = commit_nested(sides)
    sides.inside("tag", "-am", "x", "trap", commit)
    sides.inside("update-ref", "refs/heads/main", oid)
    ids = {"tree": f"{commit}^{{tree}}", "tag": "refs/tags/trap", "blob": "main:file"}
    value = sides.inside("rev-parse", ids[kind]).strip()
    folder = Path(sides.place.inside)
    if is_branch:
        add_refs(sides, f"{value} refs/heads/trap")
    (folder / "HEAD").write_text("ref: refs/heads/trap\n" if is_branch else f"{value}\n")
    # What the config of a repository there names would run with the next `git status`.
    mark = sides.folder.parent / "PWNED"
    git(sides.folder, "init", "-q", "sub")
    with (sides.folder / "sub/.git/config").open("a") as config:
        config.write(f'[core]\n\tfsmonitor = "touch {mark}; false"\n')
    assert not sides.exchange().host_followed
    assert sides.host("symbolic-ref", "HEAD") == "refs/heads/main\n"
    assert "refs/heads/trap" not in sides.host("for-each-ref").split()
    sides.host("status")
    assert not mark.exists()


def test_a_branch_of_the_host_that_enters_a_repository_is_not_switched_to_from_inside(
    sides: Sides,
) -> None:
    oid = sides.host("rev-parse", "main").strip()
    sides.host("switch", "-qc", "old")
    sides.host("update-index", "--add", "--cacheinfo", f"160000,{oid},sub")
    sides.host("commit", "-qm", "a submodule")
    sides.host("switch", "-q", "main")
    sides.exchange()
    sides.inside("symbolic-ref", "HEAD", "refs/heads/old")
    outcome = sides.exchange()
    assert not outcome.host_followed
    assert [held.reason for held in outcome.waiting] == [Reason.NESTED]
    assert sides.host("symbolic-ref", "HEAD") == "refs/heads/main\n"
    # Where the host has it in its index, it is shut by the plan.
    sides.host("switch", "-q", "old")
    sides.inside("symbolic-ref", "HEAD", "refs/heads/main")
    sides.exchange()
    sides.inside("symbolic-ref", "HEAD", "refs/heads/old")
    sides.inside("read-tree", "HEAD")
    sides.exchange()
    sides.inside("commit", "--allow-empty", "-qm", "further")
    assert sides.exchange().host_followed


def test_a_root_that_is_merged_is_looked_at(sides: Sides) -> None:
    commit_nested(sides)
    tree = sides.inside("rev-parse", "HEAD^{tree}").strip()
    root = sides.inside("commit-tree", "-m", "root", tree).strip()
    merge = sides.inside(
        "commit-tree", "-p", "refs/tags/v1^{commit}", "-p", root, "-m", "merge", tree
    ).strip()
    sides.inside("update-ref", "HEAD", merge)
    (held,) = sides.exchange().waiting
    assert held.reason is Reason.NESTED


def test_a_branch_that_also_diverged_is_said_to_enter_a_repository(sides: Sides) -> None:
    commit_nested(sides)
    sides.host("commit", "--allow-empty", "-qm", "host")
    (held,) = sides.exchange().waiting
    assert (held.reason, held.ref) == (Reason.NESTED, "refs/sandboxd/_/main")
    environ = {"XDG_STATE_HOME": str(sides.folder.parent / "state")}
    (line,) = waiting_refs.lines(str(sides.folder), environ)
    assert "nested repository" in line and "sandboxd review --take main" in line
    sides.host("merge", "-q", "--no-edit", held.ref)
    sides.exchange()
    assert waiting_refs.lines(str(sides.folder), environ) == ()
    assert acting_refs.read(sides.place.acting) == {}


def test_a_repository_that_the_list_of_them_hides_waits(sides: Sides) -> None:
    """`ignore = all` in `.gitmodules` of the host keeps `git log --raw` from listing a change of it."""
    oid = sides.host("rev-parse", "main").strip()
    modules = '[submodule "lib"]\n\tpath = lib\n\turl = ../lib\n\tignore = all\n'
    sides.write(".gitmodules", modules)
    sides.host("update-index", "--add", "--cacheinfo", f"160000,{oid},lib")
    sides.host("add", ".gitmodules")
    sides.host("commit", "-qm", "lib")
    sides.exchange()
    other = sides.host("rev-parse", "feature/a").strip()
    sides.inside("update-index", "--cacheinfo", f"160000,{other},lib")
    tree = sides.inside("write-tree").strip()
    commit = sides.inside("commit-tree", tree, "-p", "main", "-m", "lib").strip()
    sides.inside("update-ref", "refs/heads/main", commit)
    assert [held.reason for held in sides.exchange().waiting] == [Reason.NESTED]


def test_a_repository_of_another_branch_does_not_come_by_a_merge(sides: Sides) -> None:
    """A merge lists no path that it takes whole from one parent."""
    oid = sides.host("rev-parse", "main").strip()
    sides.host("switch", "-qc", "old")
    sides.host("update-index", "--add", "--cacheinfo", f"160000,{oid},lib")
    sides.host("commit", "-qm", "lib")
    sides.host("switch", "-q", "main")
    sides.exchange()
    tree = sides.inside("rev-parse", "old^{tree}").strip()
    words = ("-p", "feature/a", "-p", "old", "-m", "merge")
    sides.inside(
        "update-ref", "refs/heads/feature/a", sides.inside("commit-tree", tree, *words).strip()
    )
    (held,) = sides.exchange().waiting
    assert (held.name, held.reason, held.paths) == ("refs/heads/feature/a", Reason.NESTED, ("lib",))


def test_what_the_host_only_fetched_is_new_to_its_work_tree(sides: Sides) -> None:
    oid = commit_nested(sides)
    sides.exchange()
    # As after a push from inside, and a fetch that an editor makes by itself.
    sides.host("update-ref", "refs/remotes/origin/main", oid)
    sides.host("update-ref", "refs/tags/fetched", oid)
    outcome = sides.exchange()
    assert not outcome.host_followed
    assert [held.reason for held in outcome.waiting] == [Reason.NESTED]
    assert "160000" not in sides.host("ls-files", "-s")


@pytest.mark.parametrize("name", ["refs/heads/MAIN", "refs/heads/Feature/A", "refs/tags/Main"])
def test_a_name_of_another_case_hides_where_refs_are_files(sides: Sides, name: str) -> None:
    commit = sides.inside("commit-tree", "-m", "trap", "main^{tree}").strip()
    add_refs(sides, f"{commit} {name}")
    (held,) = sides.exchange().waiting
    assert held.reason is Reason.HIDES
    assert name not in sides.host("for-each-ref")


@pytest.mark.parametrize("char", ["\u2028", "\u2029", "\x85", "\x9b", "\u202e", "\u2066"])
@pytest.mark.parametrize("form", ["files", "reftable"])
def test_a_name_that_forges_lines_or_drives_a_terminal_never_comes(
    tmp_path: Path, char: str, form: str
) -> None:
    sides = Sides(make(tmp_path, f"--ref-format={form}"), tmp_path)
    sides.exchange()
    oid = sides.host("rev-parse", "main~1").strip()
    before = sides.host("for-each-ref", "refs/heads")
    add_refs(sides, f"{oid} refs/heads/main{char}x")
    outcome = sides.exchange()
    assert outcome.refused == 1
    assert sides.host("for-each-ref", "refs/heads") == before


def test_a_ref_of_the_host_with_a_line_end_of_unicode_is_read_as_it_is(tmp_path: Path) -> None:
    sides = Sides(make(tmp_path, "--ref-format=reftable"), tmp_path)
    sides.host("branch", "main\u2028x", "main~1")
    main = sides.inside("rev-parse", "main")
    sides.exchange()
    assert sides.inside("rev-parse", "main") == main


def test_a_head_on_a_symbolic_ref_of_the_host_is_not_followed(sides: Sides) -> None:
    sides.host("symbolic-ref", "refs/heads/alias", "refs/heads/main")
    commit = sides.inside("commit-tree", "-m", "other", "main~1^{tree}").strip()
    sides.inside("update-ref", "refs/heads/alias", commit)
    sides.inside("symbolic-ref", "HEAD", "refs/heads/alias")
    assert not sides.exchange().host_followed
    assert sides.host("symbolic-ref", "HEAD") == "refs/heads/main\n"
    assert sides.host("status", "--porcelain") == ""


def test_a_transfer_that_takes_long_is_not_tried_for_each_commit(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr("sandboxd.exchange.objects.time.monotonic", lambda: now)
    calls: list[Sequence[str]] = []

    def transfer(wanted: Sequence[str], have: Sequence[str], target: IO[bytes]) -> None:
        nonlocal now
        assert have
        assert not target.tell()
        calls.append(wanted)
        now += 300
        raise objects.TransferFailed("it does not end")

    for number in range(5):
        sides.inside("update-ref", f"refs/heads/x{number}", new_commit(sides, number))
    outcome = exchange(sides.repository, sides.place, "", transfer)
    assert len(calls) == 1
    assert [held.reason for held in outcome.waiting] == [Reason.MISSING] * 5


def test_a_delta_that_makes_a_huge_object_is_refused(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quiet_git, "_MOST_DATA", 256 << 20)
    oid = new_commit(sides, 1)
    sides.inside("update-ref", "refs/heads/topic", oid)
    commit = sides.inside("cat-file", "commit", oid).encode()
    # 16 MiB of nothing, and a delta that copies it 24 times.
    base = bytes((1 << 24) - 1)
    base_id = hashlib.sha1(b"blob %d\0" % len(base) + base, usedforsecurity=False).digest()
    delta = number(len(base)) + number(24 * len(base)) + b"\xf0\xff\xff\xff" * 24
    body = b"PACK" + (2).to_bytes(4, "big") + (3).to_bytes(4, "big")
    body += packed(1, commit) + packed(3, base) + packed(7, delta, base_id)
    sent = body + hashlib.sha1(body, usedforsecurity=False).digest()
    outcome = exchange(
        sides.repository, sides.place, "", lambda _wanted, _have, target: target.write(sent)
    )
    assert [(held.name, held.reason) for held in outcome.waiting] == [
        ("refs/heads/topic", Reason.MISSING)
    ]
    assert "refs/heads/topic" not in sides.host("for-each-ref")


def number(value: int, first_bits: int = 7, kind: int = 0) -> bytes:
    """A number as packs have it: the lowest bits first; those of the first byte follow `kind`."""
    result = bytearray()
    bits, low = first_bits, kind
    while True:
        low |= value & ((1 << bits) - 1)
        value >>= bits
        result.append(low | (0x80 if value else 0))
        if not value:
            return bytes(result)
        bits, low = 7, 0


def packed(kind: int, data: bytes, base: bytes = b"") -> bytes:
    """An object as a pack has it."""
    return number(len(data), 4, kind << 4) + base + zlib.compress(data)


def test_refs_that_wait_are_limited(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandboxd.exchange.on_host._MOST_WAITING", 3)
    for number in range(5):
        sides.inside("update-ref", f"refs/heads/V{number}", new_commit(sides, number))
        sides.host("branch", f"v{number}")
    outcome = sides.exchange()
    assert len(outcome.waiting) == 5
    assert len(waiting_on_host(sides)) == 3
    assert sum(bool(held.ref) for held in outcome.waiting) == 3


def test_new_branches_are_taken_up_to_a_limit_and_the_rest_is_counted(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(difference, "MOST_NEW", 3)
    oid = new_commit(sides, 1)
    add_refs(sides, *(f"{oid} refs/heads/x{number}" for number in range(5)))
    sides.inside("switch", "-qc", "z")
    outcome = sides.exchange()
    assert outcome.over == 3
    (line,) = words.lines(outcome)
    assert line[0].startswith("3 branches and tags of the sandbox were not taken")
    assert branches(sides) == {"main", "feature/a", "z", "x0", "x1"}
    # The bound is of all times, not of one.
    assert sides.exchange().over == 3
    assert branches(sides) == {"main", "feature/a", "z", "x0", "x1"}
    # What exists goes on passing, and what the host deletes makes room.
    sides.inside("commit", "--allow-empty", "-qm", "further")
    assert sides.exchange().host_followed
    sides.host("branch", "-D", "x0")
    sides.exchange()
    sides.exchange()
    assert branches(sides) == {"main", "feature/a", "z", "x1", "x2"}


def test_branches_of_the_host_take_no_room(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(difference, "MOST_NEW", 2)
    for number in range(4):
        sides.host("branch", f"h{number}")
    sides.exchange()
    sides.inside("update-ref", "refs/heads/x", new_commit(sides, 1))
    assert sides.exchange().over == 0
    assert "x" in branches(sides)


def branches(sides: Sides) -> set[str]:
    return set(sides.host("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").split())


def test_logs_are_read_up_to_a_limit(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_refs, "_MOST_LOGS", 64 << 10)
    folder = Path(sides.place.inside, "logs/refs/heads/many")
    folder.mkdir(parents=True)
    for number in range(50):
        with (folder / str(number)).open("wb") as file:
            file.truncate(32 << 10)
    read: list[str] = []
    logged_in = own_refs._logged_in

    def count(root: int, path: str) -> list[str]:
        read.append(path)
        return logged_in(root, path)

    monkeypatch.setattr(own_refs, "_logged_in", count)
    own_refs.logged(sides.place.inside)
    assert len(read) <= 5


def test_files_of_refs_are_counted_in_all_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_refs, "_MOST_ENTRIES", 10)
    for number in range(12):
        path = tmp_path / f"refs/{number % 4}/{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    root = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(own_refs.TooMany):
            list(own_refs.files_below(root, "refs"))
    finally:
        os.close(root)


def new_commit(sides: Sides, number: int) -> str:
    return sides.inside("commit-tree", "-p", "main", "-m", str(number), "main^{tree}").strip()


def waiting_on_host(sides: Sides) -> list[str]:
    names = sides.host("for-each-ref", "--format=%(refname)", "refs/sandboxd/_").split()
    return [name for name in names if "/held/" not in name]


def test_names_that_others_take() -> None:
    names = ref_names.short_names(["refs/heads/main", "refs/remotes/origin/dev", "refs/tags/v1"])
    for short in ("main", "Main", "origin", "origin/dev", "v1", "V1", "deadbeef", "-x"):
        assert ref_names.hides(f"refs/heads/{short}", names)
    for short in ("dev", "main2", "origin2"):
        assert not ref_names.hides(f"refs/heads/{short}", names)
