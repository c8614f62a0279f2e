"""A landing runs of the parts of the suite what there is time for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import tiers
from tests.tiers import Part
from tests.unit.tools.test_reach import git
from tools.suite import landing, passed
from tools.suite.landing import Standing
from tools.suite.passed import Passed

OLD, NEW = "2026-11-01", "2026-11-30"


def names(parts: tuple[Standing, ...]) -> list[str]:
    return [part.name for part in parts]


def test_first_comes_what_the_changes_reach_then_what_passed_the_longest_ago() -> None:
    parts = [
        Standing("a", False, OLD, 10),
        Standing("b", True, NEW, 10),
        Standing("c", True, OLD, 10),
        Standing("d", False, "", 10),
    ]
    assert names(landing.choose(parts, 100).taken) == ["c", "b", "d", "a"]


def test_a_part_for_which_there_is_no_time_is_named_and_leaves_it_to_smaller_ones() -> None:
    parts = [
        Standing("a", True, OLD, 30),
        Standing("b", True, NEW, 30),
        Standing("c", False, OLD, 10),
        Standing("d", False, NEW, 1),
    ]
    choice = landing.choose(parts, 40)
    assert names(choice.taken) == ["a", "c"]
    assert names(choice.left) == ["b", "d"]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of one commit, with two parts."""
    files = {
        "sandboxd/__init__.py": "",
        "sandboxd/text.py": "",
        "tests/passed.toml": "",
        "tests/e2e/test_text.py": "from sandboxd import text\n",
        "tests/e2e/test_other.py": "",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "-q", "-m", "all")
    parts = (
        Part("texts", "", ("tests/e2e/test_text.py::[long]",)),
        Part("others", "", ("tests/e2e/test_other.py",)),
    )
    monkeypatch.setattr(tiers, "parts", lambda: parts)
    return tmp_path


def record(processor: float) -> dict[str, object]:
    return {"processor": processor, "processes": {}, "reads": []}


FILES = {
    "tests/e2e/test_text.py::[long]": record(40),
    "tests/e2e/test_text.py": record(8),
    "tests/e2e/test_other.py": record(4),
    "tests/unit/test_text.py": record(20),
}


def test_a_part_is_reached_by_what_changed_since_it_passed(tree: Path) -> None:
    assert passed.write(tree, ["texts"], OLD)
    git(tree, "commit", "-q", "-a", "-m", "passed")
    texts, others = landing.standings(tree, FILES, passed.load(tree))
    assert texts == Standing("texts", False, OLD, 40.0)
    assert others == Standing("others", True, "", 4.0)
    (tree / "sandboxd/text.py").write_text("import os\n")
    git(tree, "commit", "-q", "-a", "-m", "change")
    texts, _ = landing.standings(tree, FILES, passed.load(tree))
    assert texts.is_reached


def test_a_commit_that_git_does_not_know_reaches_all(tree: Path) -> None:
    last = dict.fromkeys(["texts", "others"], Passed("0" * 40, NEW))
    assert all(part.is_reached for part in landing.standings(tree, FILES, last))


def test_the_time_of_the_promises_is_that_of_what_no_part_names(tree: Path) -> None:
    assert landing.seconds_of_promises(FILES) == 8 + 20


def test_what_has_no_record_has_a_time_too(tree: Path) -> None:
    texts, others = landing.standings(tree, {"tests/e2e/test_text.py": record(8)}, {})
    assert (texts.seconds, others.seconds) == (landing.NEW_FILE_SECONDS, landing.NEW_FILE_SECONDS)


def test_what_passed_is_written_for_the_last_commit_alone(tree: Path) -> None:
    (tree / "sandboxd/text.py").write_text("import os\n")
    assert not passed.write(tree, ["texts"], NEW)
    git(tree, "commit", "-q", "-a", "-m", "change")
    assert passed.write(tree, ["texts"], NEW)
    git(tree, "commit", "-q", "-a", "-m", "passed")
    assert passed.write(tree, ["others"], NEW)
    last = passed.load(tree)
    assert last.keys() == {"others", "texts"} and last["others"].commit != last["texts"].commit
    assert passed.load(tree / "sandboxd") == {}
