"""Changes of one point: they are found, they mean something, and the same ones are drawn again."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tools.mutation import page, reach, sample
from tools.mutation.concern import Suite
from tools.mutation.points import Point, parses, points
from tools.mutation.reach import Reach
from tools.mutation.trial import Outcome

ROOT = Path(__file__).resolve().parents[3]

MODULE = '''"""A module."""

__all__ = ("a", "b")
NAMES = frozenset(("one", "two"))
WORDS = "ü sed awk".split()
TABLE = {"x": ("p", "q"), "y": ()}


def allowed(name, folder, known=()):
    if name in NAMES and not known:
        return True
    if folder.startswith(f"{name}/"):
        raise ValueError
    if (found := known) is None:
        return False
    check(name, strict=True)
    print("seen")
    return len(found) < 3
'''


@pytest.fixture
def changes(tmp_path: Path) -> dict[str, str]:
    """Each change, and the module after it."""
    (tmp_path / "m.py").write_text(MODULE)
    candidates = [point for point in points(tmp_path, "m.py") if parses(tmp_path, point)]
    return {
        f"{point.kind}: {point.before} -> {' '.join(point.text.split())}": point.applied(
            MODULE.encode()
        ).decode()
        for point in candidates
    }


def test_every_kind_of_change_is_found(changes: dict[str, str]) -> None:
    assert set(changes) == {
        'list item: "one" -> ',
        'list item: "two" -> ',
        "list item: sed -> ",
        "list item: awk -> ",
        'list item: "x": ("p", "q") -> ',
        'list item: "y": () -> ',
        'list item: "p" -> ',
        'list item: "q" -> ',
        "guard dropped: name in NAMES and not known -> False",
        "operand dropped: name in NAMES and not known -> name in NAMES",
        "operand dropped: name in NAMES and not known -> not known",
        "comparison turned: name in NAMES -> not in",
        "not dropped: not known -> known",
        "answer turned: return True -> return False",
        'guard dropped: folder.startswith(f"{name}/") -> False',
        'slash dropped: f"{name}/" -> f"{name}"',
        "comparison turned: (found := known) is None -> is not",
        "answer turned: return False -> return True",
        "call dropped: check(name, strict=True) -> pass",
        "flag turned: strict=True -> strict=False",
        "comparison turned: len(found) < 3 -> <=",
    }


def test_a_change_is_python_and_another_program(changes: dict[str, str]) -> None:
    before = ast.dump(ast.parse(MODULE))
    for title, text in changes.items():
        assert ast.dump(ast.parse(text)) != before, title
    assert ast.literal_eval(changes['list item: "q" -> '].split("TABLE = ")[1].split("\n")[0]) == {
        "x": ("p",),
        "y": (),
    }


def project(root: Path) -> Path:
    for name in ("rules/a", "rules/b", "plan/c", "d"):
        path = root / "sandboxd" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(MODULE)
    return root


def test_the_same_seed_draws_the_same_changes_from_every_room(tmp_path: Path) -> None:
    root = project(tmp_path)
    drawn = sample.draw(root, 12, 7)
    assert drawn == sample.draw(root, 12, 7) != sample.draw(root, 12, 8)
    assert len(set(drawn)) == 12
    assert sum(point.kind == "list item" for point in drawn) == 4
    assert {sample.room(point.path) for point in drawn} == {"rules", "plan", "sandboxd"}
    only = sample.draw(root, 6, 7, "plan")
    assert {point.path for point in only} == {"sandboxd/plan/c.py"}


def test_tests_that_import_a_module_concern_it_the_nearest_first() -> None:
    tests = Suite(ROOT)
    far = tests.far("sandboxd/policy/trust.py")
    assert far[0] == "tests/unit/policy/test_trust.py" and len(far) > 3
    assert "tests/unit/policy/test_trust.py" in tests.near("sandboxd/policy/trust.py")
    assert "tests/unit/syntax/test_jsonc.py" in tests.far("sandboxd/syntax/_jsonc_tokens.py")
    near = tests.near("sandboxd/rules/seccomp_unconfined.py")
    assert near[0] == "tests/rules/test_pages.py" and "seccomp-unconfined" in near[-1]


RECORD = """\
1 sandboxd/plan/c.py:9
1 = 0.500 tests/unit/plan/test_c.py::test_slow
2 sandboxd/plan/c.py:9
2 sandboxd/plan/c.py:1
2 = 0.001 tests/contract/test_any.py::test_any[a b]
3 sandboxd/plan/c.py:9
3 = 0.002 tests/contract/test_any.py::test_any[c]
4 sandboxd/plan/c.py:9
5 sandboxd/rules/a.py:9
5 = 0.1 tests/unit/rules/test_a.py::test_a
"""


def test_the_tests_that_run_a_function_are_tried_one_of_each_first(tmp_path: Path) -> None:
    reached = Reach(project(tmp_path), RECORD)
    by_title = {point.title: point for point in points(tmp_path, "sandboxd/plan/c.py")}
    inside = next(point for title, point in by_title.items() if "guard dropped" in title)
    assert reached.tests(inside) == [
        "tests/unit/plan/test_c.py::test_slow",
        "tests/contract/test_any.py::test_any[a b]",
        "tests/contract/test_any.py::test_any[c]",
    ]


def test_of_a_list_those_that_run_a_user_of_its_name_are_tried(tmp_path: Path) -> None:
    reached = Reach(project(tmp_path), RECORD)
    candidates = points(tmp_path, "sandboxd/plan/c.py")
    used = next(point for point in candidates if point.where == "NAMES")
    assert "tests/unit/rules/test_a.py::test_a" in reached.tests(used)
    unused = next(point for point in candidates if point.where == "WORDS")
    assert reached.tests(unused) == []


def test_one_change_costs_no_more_than_its_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "MOST_SECONDS", 0.5)
    point = next(p for p in points(project(tmp_path), "sandboxd/plan/c.py") if p.where == "allowed")
    assert Reach(tmp_path, RECORD).tests(point) == ["tests/unit/plan/test_c.py::test_slow"]


CHILD = """
import sys
sys.path[:0] = sys.argv
from sandboxd.d import allowed
allowed("one", "", ())
"""


def test_what_a_test_and_its_child_run_is_recorded(tmp_path: Path) -> None:
    """In a process of its own, which is traced from its start as the trial's are."""
    root = project(tmp_path / "root")
    (root / "sandboxd/__init__.py").touch()
    (tmp_path / "test_it.py").write_text(
        "import subprocess, sys\n"
        "def test_nothing(): pass\n"
        f"def test_child(): subprocess.run([sys.executable, 'traced.py', {CHILD!r}, {str(root)!r}])\n"
    )
    start = (
        f"from tools.mutation import recorder; recorder.start({str(root)!r}, {str(tmp_path)!r})\n"
    )
    (tmp_path / "traced.py").write_text(
        f"import sys\nsys.path[:0] = [{str(ROOT)!r}]\n{start}del sys.argv[0]\nexec(sys.argv.pop(0))\n"
    )
    main = "import pytest\npytest.main(['-q', '-p', 'tools.mutation.plugin', 'test_it.py'])\n"
    words = [sys.executable, "traced.py", main]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    lines = (tmp_path / "reach").read_text().splitlines()
    assert "2 sandboxd/d.py:9" in lines
    assert [line.split()[-1] for line in lines if " = " in line] == [
        "test_it.py::test_nothing",
        "test_it.py::test_child",
    ]
    assert not [line for line in lines if line.startswith("1 sandboxd")]


def test_the_page_counts_and_names_survivors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "reasons", lambda: {"two": "only another wording"})
    outcomes = [
        Outcome("one", "sandboxd/rules/a.py", 1, "list item", "tests/x.py::test"),
        Outcome("two", "sandboxd/rules/a.py", 2, "list item", ""),
        Outcome("three", "sandboxd/plan/b.py", 3, "guard dropped", ""),
    ]
    text = page.render(outcomes, 5, 4, 0)
    assert "Seed 5: of 3 changes 1 were noticed, 33 %." in text
    assert "The run was ended before the other 1 of 4." in text
    assert "| rules | 2 | 1 |" in text and "| guard dropped | 1 | 0 |" in text
    assert "- two\n  - only another wording" in text
    assert "- three\n  - open: no test requires it yet" in text


def test_a_title_does_not_depend_on_the_line() -> None:
    point = Point("sandboxd/a.py", 3, "guard dropped", 10, 20, "False", "x is None", "f")
    assert point.title == point._replace(line=4, start=30, end=40).title
