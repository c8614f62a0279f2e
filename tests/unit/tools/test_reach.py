"""The tests that a change can reach, the nearest first, of which `./dev check` runs those of units."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools.suite import reach

FILES = {
    "sandboxd/__init__.py": "",
    "sandboxd/text.py": "",
    "sandboxd/plan/__init__.py": "",
    "sandboxd/plan/mounts.py": "from sandboxd.text import line\n",
    "sandboxd/plan/planner.py": "def plan():\n    from . import mounts\n",
    "sandboxd/rules/__init__.py": "from sandboxd.rules import _index\n",
    "sandboxd/rules/_index.py": "",
    "sandboxd/rules/host_ipc.py": "import sandboxd.text\n",
    "tests/__init__.py": "",
    "tests/patience.py": "",
    "tests/unit/conftest.py": "from tests import patience\n",
    "tests/unit/test_text.py": "from sandboxd import text\n",
    "tests/unit/test_screen.py": "",
    "tests/unit/plan/test_mounts.py": "from sandboxd.plan.mounts import mounts\n",
    "tests/unit/plan/test_planner.py": "import sandboxd.plan.planner\n",
    "tests/unit/plan/example.json": "{}",
    "tests/unit/rules/test_rules.py": "from sandboxd import rules\n",
    "profiles/dev.toml": "",
    "docs/faq.md": "",
    "docs/words/one.md": "",
    "tests/tiers.toml": "",
}
TESTS = [path for path in FILES if Path(path).name.startswith("test_")]


def record(**figures: object) -> dict[str, object]:
    return {"processor": 1.0, "processes": {}, "reads": [], **figures}


RECORDED = {"tests/unit/test_screen.py": record(reads=["docs", "profiles"])}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small checkout, all of it in its last commit."""
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / ".gitignore").write_text(".dev/\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "-q", "-m", "all")
    return tmp_path


def git(tree: Path, *words: str) -> None:
    names = ["-c", "user.name=Kim", "-c", "user.email=kim@example.org"]
    subprocess.run(["git", *names, *words], cwd=tree, check=True)


@pytest.mark.parametrize(
    ("path", "tests"),
    [
        ("sandboxd/plan/planner.py", ["plan/test_planner.py"]),
        ("sandboxd/plan/mounts.py", ["plan/test_mounts.py", "plan/test_planner.py"]),
        (
            "sandboxd/text.py",
            ["test_text.py", "plan/test_mounts.py", "plan/test_planner.py"],
        ),
        ("sandboxd/rules/host_ipc.py", ["rules/test_rules.py"]),
        ("tests/unit/test_text.py", ["test_text.py"]),
        ("tests/unit/plan/example.json", ["plan/test_mounts.py", "plan/test_planner.py"]),
        ("docs/faq.md", ["test_screen.py"]),
        ("tests/tiers.toml", []),
    ],
)
def test_a_change_reaches_what_imports_it_the_nearest_first(
    tree: Path, path: str, tests: list[str]
) -> None:
    assert reach.reached(tree, [path], RECORDED) == [f"tests/unit/{name}" for name in tests]


@pytest.mark.parametrize(
    "path", ["tests/patience.py", "profiles/dev.toml", "sandboxd/data.bin", "docs/words/one.md"]
)
def test_what_all_tests_have_and_what_nobody_is_known_to_read_reaches_all(
    tree: Path, path: str
) -> None:
    assert sorted(reach.reached(tree, [path], RECORDED)) == sorted(TESTS)


def test_what_starts_programs_reaches_all_that_is_shipped_after_what_imports_it(tree: Path) -> None:
    (tree / "tests/e2e").mkdir()
    for name in ("starts", "new", "reads"):
        (tree / f"tests/e2e/test_{name}.py").write_text("import os\n")
    files = {
        "tests/e2e/test_starts.py::test_a": record(),
        "tests/e2e/test_starts.py": record(processes={"sandboxd (forked)": [1, 0.0, 0.0]}),
        "tests/e2e/test_reads.py": record(reads=["tests/e2e"]),
        "tests/unit/rules/test_rules.py": record(processes={"git": [1, 0.1, 0.1]}),
    }
    assert reach.reached(tree, ["sandboxd/plan/planner.py"], files) == [
        "tests/unit/plan/test_planner.py",
        "tests/e2e/test_new.py",
        "tests/e2e/test_starts.py",
    ]
    assert reach.reached(tree, ["tests/unit/test_text.py"], files) == ["tests/unit/test_text.py"]


def test_a_removed_module_reaches_those_of_its_folder(tree: Path) -> None:
    (tree / "sandboxd/plan/mounts.py").unlink()
    files = reach.choose(tree, {}, 100).files
    assert set(files) == {"tests/unit/plan/test_planner.py", "tests/unit/plan/test_mounts.py"}


def test_an_edited_import_counts_at_once(tree: Path) -> None:
    assert "tests/unit/test_screen.py" not in reach.reached(tree, ["sandboxd/text.py"], {})
    (tree / "tests/unit/test_screen.py").write_text("import sandboxd.plan.mounts  # now\n")
    assert "tests/unit/test_screen.py" in reach.reached(tree, ["sandboxd/text.py"], {})


def test_without_a_change_all_are_run(tree: Path) -> None:
    choice = reach.choose(tree, {}, 0)
    assert sorted(choice.files) == sorted(TESTS) and choice.left == ()


def test_what_has_no_time_is_left_and_named(tree: Path) -> None:
    (tree / "sandboxd/text.py").write_text("import os\n")
    (tree / "tests/unit/test_screen.py").write_text("import re\n")
    files = {
        "tests/unit/test_text.py": record(processor=5.0),
        "tests/unit/plan/test_mounts.py": record(processor=90.0),
    }
    choice = reach.choose(tree, files, 10)
    assert choice.files == ("tests/unit/test_screen.py", "tests/unit/test_text.py")
    assert choice.left == ("tests/unit/plan/test_mounts.py", "tests/unit/plan/test_planner.py")
    assert choice.why == "2 files have changed"


def test_changes_are_those_since_the_commit_that_upstream_has(tree: Path) -> None:
    git(tree, "branch", "upstream")
    git(tree, "checkout", "-q", "-b", "work", "--track", "upstream")
    (tree / "sandboxd/text.py").write_text("import os\n")
    git(tree, "commit", "-q", "-a", "-m", "change")
    (tree / "sandboxd/new.py").write_text("")
    assert reach.changed(tree) == ("sandboxd/new.py", "sandboxd/text.py")


def test_without_git_nothing_is_known_to_have_changed(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tree))
    assert reach.changed(tree) == ()
