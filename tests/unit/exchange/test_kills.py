"""An exchange that is killed at any step leaves no ref without its objects, and the next one takes everything up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.exchange.killed import killer
from tests.unit.exchange.two_sides import Sides, make


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    sides = Sides(make(tmp_path), tmp_path)
    sides.exchange()
    return sides


def commit(sides: Sides, number: int) -> None:
    """A commit inside of a file in a new folder: objects of each kind. It ends on another branch every time."""
    sides.inside("switch", "-qc", f"topic{number}")
    sides.write(f"folder/{number}", f"{number}\n")
    sides.inside("add", "folder")
    sides.inside("commit", "-qm", str(number))


def test_each_step(sides: Sides) -> None:
    number, was_killed = 0, True
    with killer(sides) as exchange_elsewhere:
        while was_killed:
            commit(sides, number)
            was_killed = exchange_elsewhere.kills_at(number)
            # Every ref of the host is whole, whatever came of it.
            sides.host("fsck", "--connectivity-only", "--no-dangling")
            outcome = sides.exchange()
            assert not outcome.waiting, (number, outcome)
            assert sides.host("log", "-1", "--format=%s") == f"{number}\n", number
            assert sides.host("status", "--porcelain") == "", number
            assert not list(Path(sides.repository.own).glob("*.lock*")), number
            number += 1
    assert number > 21
    sides.host("fsck", "--strict")


def test_a_commit_that_is_there_without_its_tree_is_brought_again(sides: Sides) -> None:
    """As one is that was killed between two objects, and as `git gc` leaves them."""
    commit(sides, 1)
    text = sides.inside("cat-file", "commit", "HEAD")
    raw = sides.folder.parent / "commit"
    raw.write_text(text)
    oid = sides.host("hash-object", "-w", "-t", "commit", "--literally", str(raw)).strip()
    assert oid == sides.inside("rev-parse", "HEAD").strip()
    assert not sides.exchange().waiting
    sides.host("fsck", "--strict", "--no-dangling")
    assert sides.host("show", "HEAD:folder/1") == "1\n"


def test_what_a_log_inside_names_is_held_only_where_it_is_whole(sides: Sides) -> None:
    tree = sides.inside("hash-object", "-t", "tree", "/dev/null").strip()
    assert tree
    raw = sides.folder.parent / "commit"
    lost = "1" * len(tree)
    raw.write_text(
        sides.inside("cat-file", "commit", "HEAD").replace("tree ", f"tree {lost}\nx ", 1)
    )
    oid = sides.host("hash-object", "-w", "-t", "commit", "--literally", str(raw)).strip()
    log = Path(sides.place.inside, "logs/HEAD")
    with log.open("a") as file:
        file.write(f"{oid} {oid} A <a@example.org> 1 +0000\tx\n")
    sides.exchange()
    assert oid not in sides.host("for-each-ref")


@pytest.mark.parametrize("name", ["index", "HEAD"])
def test_a_lock_of_somebody_else_stays_where_one_of_ours_was_left(sides: Sides, name: str) -> None:
    own = Path(sides.repository.own)
    (own / f"{name}.lock.{sides.place.mark}").write_text("")
    (own / f"{name}.lock").write_text("")
    commit(sides, 1)
    assert not sides.exchange().host_followed
    assert (own / f"{name}.lock").exists()
    assert not (own / f"{name}.lock.{sides.place.mark}").exists()
    (own / f"{name}.lock").unlink()
    assert sides.exchange().host_followed
