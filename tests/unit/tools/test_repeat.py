"""A run repeats the tests that it brings."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.tiers import Part
from tests.unit.tools.test_reach import git
from tools.suite import reach, repeat
from tools.suite.passed import Passed

UNIT, END_TO_END = "tests/unit/test_text.py", "tests/e2e/test_life.py"


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(textwrap.dedent(text))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A checkout of one commit."""
    git(tmp_path, "init", "-q")
    write(
        tmp_path,
        UNIT,
        "def test_a(): assert 1\ndef test_b(): assert 2\nclass TestC:\n    def test_d(self): pass\n",
    )
    write(tmp_path, "tests/unit/world.py", "def test_of_nothing(): pass\n")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "-q", "-m", "all")
    return tmp_path


def test_what_differs_in_more_than_its_layout_is_repeated(tree: Path) -> None:
    text = """\
        def test_a():
            # Another layout.
            assert 1
        def test_b(): assert 3
        class TestC:
            def test_d(self): return
        def world(): return 1
        async def test_e(): pass
        """
    write(tree, UNIT, text)
    write(tree, "tests/unit/world.py", "def test_of_nothing(): return\n")
    assert repeat.new_or_changed(tree, "HEAD") == [
        f"{UNIT}::TestC::test_d",
        f"{UNIT}::test_b",
        f"{UNIT}::test_e",
    ]


def test_a_new_file_is_new_and_a_removed_one_is_nothing(tree: Path) -> None:
    write(tree, END_TO_END, "def test_f(): pass\n")
    (tree / UNIT).unlink()
    assert repeat.new_or_changed(tree, "HEAD") == [f"{END_TO_END}::test_f"], "not yet added"
    git(tree, "add", "--all")
    assert repeat.new_or_changed(tree, "HEAD") == [f"{END_TO_END}::test_f"]


def test_of_an_unknown_commit_nothing_is_new(tree: Path) -> None:
    for commit in ("", "0" * 40):
        assert repeat.new_or_changed(tree, commit) == []


FILES = {
    END_TO_END: {"tests": 2, "wall": 8.0},
    UNIT: {"tests": 10, "wall": 1.0},
}
TESTS = [f"{END_TO_END}::test_f", "tests/e2e/test_new.py::test_g", f"{UNIT}::test_a"]


def test_everything_comes_once_before_anything_twice_and_real_processes_before_units() -> None:
    old, new, unit = TESTS
    plan = repeat.plan(TESTS, FILES, 1000.0)
    assert plan.runs == ((unit,), (old, new), (old, new), (old, new), *(((unit,),) * 9))
    assert plan.left == ()


def test_what_there_is_no_time_for_is_named_and_takes_no_time_of_others() -> None:
    old, new, unit = TESTS
    plan = repeat.plan(TESTS, FILES, 12.5)
    assert plan == ((((unit,), (old,), (old,), (old,), *(((unit,),) * 4))), (new,))


def test_each_part_is_compared_with_the_commit_at_which_it_passed(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [Part("engines", "others", (END_TO_END,)), Part("kills", "ends", (f"{UNIT}::test_b",))]
    monkeypatch.setattr(repeat.tiers, "parts", lambda: parts)
    (first,) = reach.git(tree, "rev-parse", "HEAD")
    write(tree, END_TO_END, "def test_f(): pass\n")
    write(tree, UNIT, "def test_a(): assert 2\ndef test_b(): assert 3\n")
    git(tree, "add", "--all")
    git(tree, "commit", "-q", "-m", "more")
    (second,) = reach.git(tree, "rev-parse", "HEAD")
    last = {
        "promises": Passed(first, ""),
        "engines": Passed(first, ""),
        "kills": Passed(second, ""),
    }
    assert repeat.new_of(tree, last, parts) == [f"{END_TO_END}::test_f", f"{UNIT}::test_a"]
    assert repeat.new_of(tree, last, parts[1:]) == [f"{UNIT}::test_a"]
    assert repeat.new_of(tree, {"promises": Passed(second, "")}, parts) == []
