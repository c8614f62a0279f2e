"""The host's own acts and switches inside bring no version of what is shut: what lies there counts only behind its mount."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.exchange import words
from sandboxd.exchange.difference import Reason
from sandboxd.exchange.run import Problem
from sandboxd.exchange.state import Mounts
from tests.unit.exchange.test_shut_files import HOOK, TASKS, commit, evil, held, mark, sides, take
from tests.unit.exchange.two_sides import Sides

__all__ = ["mark", "sides"]


def test_a_file_that_lies_there_without_its_mount_may_be_from_inside(sides: Sides) -> None:
    """Once the host replaced it, a program inside may have written it, and commits the same."""
    sides.write(TASKS, "evil\n")
    commit(sides, TASKS, "evil\n", "100644")
    sides.mounts = lambda: Mounts.UNSEEN
    assert held(sides) == [("refs/heads/main", Reason.CONTROL, (TASKS,))]
    (stay,) = take(sides, "main").stays
    assert "files that are shut inside" in stay.why


@pytest.mark.parametrize("looks", [[Mounts.LOST], [Mounts.HELD, Mounts.LOST]])
def test_nothing_passes_while_a_mount_is_lost(sides: Sides, looks: list[Mounts]) -> None:
    """Also one that is lost while the exchange looks at the commits."""
    before = sides.host("for-each-ref")
    sides.write(TASKS, "evil\n")
    commit(sides, TASKS, "evil\n", "100644")
    sides.inside("branch", "plain")
    sides.mounts = iter(looks).__next__
    outcome = sides.attempt()
    assert outcome.problem is Problem.OPEN
    assert words.lines(outcome) == [
        (
            "commits do not pass: the host replaced something that is shut inside, which took its mount away",
            "`sandboxd status` says what, and how to go on",
        )
    ]
    assert sides.host("for-each-ref") == before


@pytest.mark.parametrize("is_branch", [True, False])
def test_the_host_follows_no_switch_that_has_another_version_of_what_is_shut(
    sides: Sides, mark: Path, is_branch: bool
) -> None:
    """A branch of the host's own, such as a colleague's that was never checked out: git inside could not switch to it."""
    sides.host("switch", "-qc", "theirs")
    sides.write(HOOK, evil(mark))
    sides.host("commit", "-qam", "a hook", "--no-verify")
    sides.host("-c", f"core.hooksPath={os.devnull}", "switch", "-q", "main")
    sides.exchange()
    tip = sides.inside("rev-parse", "theirs").strip()
    sides.inside("read-tree", tip)
    words_of_head = ("symbolic-ref", "HEAD", "refs/heads/theirs")
    sides.inside(*(words_of_head if is_branch else ("update-ref", "--no-deref", "HEAD", tip)))
    outcome = sides.exchange()
    assert [(one.name, one.reason, one.paths) for one in outcome.waiting] == [
        ("HEAD", Reason.CONTROL, (HOOK,))
    ]
    ((text, step),) = words.lines(outcome)
    assert f"`{HOOK}`" in text and step
    assert not outcome.host_followed
    assert sides.host("symbolic-ref", "HEAD") == "refs/heads/main\n"
    sides.host("checkout", "-q", ".")
    assert not mark.exists()


def test_a_reset_inside_brings_no_older_version_of_what_is_shut(sides: Sides) -> None:
    sides.write(TASKS, "mended\n")
    sides.host("commit", "-qam", "mend")
    sides.exchange()
    sides.inside("reset", "-q", "--soft", "HEAD~1")
    sides.inside("read-tree", "HEAD")
    assert held(sides) == [("refs/heads/main", Reason.CONTROL, (TASKS,))]
    assert sides.host("log", "-1", "--format=%s") == "mend\n"


def test_the_host_follows_a_switch_to_where_nothing_of_what_is_shut_is(sides: Sides) -> None:
    sides.inside("symbolic-ref", "HEAD", "refs/heads/feature/a")
    sides.inside("read-tree", "HEAD")
    outcome = sides.exchange()
    assert outcome.host_followed and not outcome.waiting
    assert sides.host("symbolic-ref", "HEAD") == "refs/heads/feature/a\n"


def test_a_stash_that_goes_back_to_a_version_of_the_hosts_past_is_named(sides: Sides) -> None:
    """Its first parent has the file as the host has it now, so that applying it makes the step back."""
    old = sides.host("rev-parse", "HEAD").strip()
    sides.write(TASKS, "mended\n")
    sides.host("commit", "-qam", "mend")
    sides.exchange()
    now = sides.inside("rev-parse", "HEAD^{tree}").strip()
    before = sides.inside("rev-parse", f"{old}^{{tree}}").strip()
    base = sides.inside("commit-tree", now, "-p", old, "-m", "base").strip()
    index = sides.inside("commit-tree", before, "-p", old, "-m", "index").strip()
    trap = sides.inside("commit-tree", before, "-p", base, "-p", index, "-m", "WIP").strip()
    sides.inside("stash", "store", "-m", "WIP", trap)
    ((paths, oid),) = [(one.paths, one.oid) for one in sides.exchange().acting]
    assert (paths, oid) == ((TASKS,), trap)
    sides.host("stash", "apply", "-q", trap)
    assert (sides.folder / TASKS).read_text() == "{}\n"
