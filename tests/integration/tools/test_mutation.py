"""Changes of one point: they are found, they mean something, and the same ones are drawn again."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tools.mutation import page, reach, sample
from tools.mutation.concern import Suite
from tools.mutation.outcomes import Again, Outcomes
from tools.mutation.points import Point, parses, points
from tools.mutation.reach import Reach
from tools.mutation.record import Record, parse
from tools.mutation.runner import Runner
from tools.mutation.trial import Outcome
from tools.mutation.users import Users

ROOT = Path(__file__).resolve().parents[3]

MODULE = '''"""A module."""

__all__ = ("a", "b")
NAMES = frozenset(("one", "two"))
WORDS = "ü sed awk".split()
TABLE = {"x": ("p", "q"), "y": ()}
ONE, OTHER = "one", "other"
SHOWN = {name.upper() for name in NAMES}


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
        point.title.partition(": ")[2].replace(" `", ": ", 1).replace("`", ""): point.applied(
            MODULE.encode()
        ).decode()
        for point in candidates
    }


def test_every_kind_of_change_is_found(changes: dict[str, str]) -> None:
    assert set(changes) == {
        'list item: "one" -> (nothing)',
        'list item: "two" -> (nothing)',
        "list item: sed -> (nothing)",
        "list item: awk -> (nothing)",
        'list item: "x": ("p", "q") -> (nothing)',
        'list item: "y": () -> (nothing)',
        'list item: "p" -> (nothing)',
        'list item: "q" -> (nothing)',
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


@pytest.mark.parametrize(("left_out", "stays"), [("p", "q"), ("q", "p")])
def test_of_two_items_one_is_left_in_the_same_kind_of_list(
    changes: dict[str, str], left_out: str, stays: str
) -> None:
    [after] = [text for title, text in changes.items() if f'item: "{left_out}"' in title]
    table = after.split("TABLE = ")[1].split("\n")[0]
    assert ast.literal_eval(table) == {"x": (stays,), "y": ()}


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


def test_where_the_code_changes_the_sample_changes_there_alone(tmp_path: Path) -> None:
    root = project(tmp_path)
    before = sample.draw(root, 12, 7)
    path = root / "sandboxd/plan/c.py"
    path.write_text(f"MORE = ('x', 'y', 'z')\n{path.read_text()}")
    after = {point.title for point in sample.draw(root, 12, 7)}
    gone = [point for point in before if point.title not in after]
    assert {point.path for point in gone} <= {"sandboxd/plan/c.py"}
    assert len(gone) <= 2


def test_tests_that_import_a_module_concern_it_the_nearest_first() -> None:
    tests = Suite(ROOT)
    far = tests.far("sandboxd/policy/trust.py")
    assert far[0] == "tests/unit/policy/test_trust.py" and len(far) > 3
    assert "tests/unit/policy/test_trust.py" in tests.near("sandboxd/policy/trust.py")
    assert "tests/unit/syntax/test_jsonc.py" in tests.far("sandboxd/syntax/_jsonc_tokens.py")
    assert "tests/unit/policy/test_acts_on_host.py" in tests.mentioning(
        "sandboxd/policy/acts_on_host_table.py", "ROWS"
    )
    near = tests.near("sandboxd/rules/seccomp_unconfined.py")
    assert near[0] == "tests/rules/test_pages.py" and "seccomp-unconfined" in near[-1]


RECORD = """\
1 sandboxd/plan/c.py:allowed
1 = 0.500 tests/unit/plan/test_c.py::test_slow
2 sandboxd/plan/c.py:allowed
2 sandboxd/plan/c.py:module
2 = 0.001 tests/contract/test_any.py::test_any[a b]
3 sandboxd/plan/c.py:allowed
3 = 0.002 tests/contract/test_any.py::test_any[c]
4 sandboxd/plan/c.py:allowed
5 sandboxd/rules/a.py:allowed
5 = 0.1 tests/unit/rules/test_a.py::test_a
"""


def test_the_tests_that_run_a_function_are_tried_one_of_each_first(tmp_path: Path) -> None:
    reached = Reach(project(tmp_path), parse(RECORD))
    by_title = {point.title: point for point in points(tmp_path, "sandboxd/plan/c.py")}
    inside = next(point for title, point in by_title.items() if "guard dropped" in title)
    assert reached.tests(inside) == [
        "tests/unit/plan/test_c.py::test_slow",
        "tests/contract/test_any.py::test_any[a b]",
        "tests/contract/test_any.py::test_any[c]",
    ]
    assert reached.tests(inside, ["tests/unit/plan/test_c.py"]) == [
        "tests/unit/plan/test_c.py::test_slow"
    ]


def test_all_cases_of_the_rooms_own_tests_come_before_those_of_others(tmp_path: Path) -> None:
    cases = [("own", case, 0.01 * case) for case in (1, 2, 3)] + [("other", 1, 0.001)]
    text = "".join(
        f"{name}{case} sandboxd/plan/c.py:allowed\n"
        f"{name}{case} = {seconds} tests/unit/{'plan' if name == 'own' else 'rules'}/t.py::t[{case}]\n"
        for name, case, seconds in cases
    )
    point = next(p for p in points(project(tmp_path), "sandboxd/plan/c.py") if p.where == "allowed")
    assert Reach(tmp_path, parse(text)).tests(point) == [
        "tests/unit/plan/t.py::t[1]",
        "tests/unit/plan/t.py::t[3]",
        "tests/unit/plan/t.py::t[2]",
        "tests/unit/rules/t.py::t[1]",
    ]


def test_of_a_list_those_that_run_a_user_of_its_name_are_tried(tmp_path: Path) -> None:
    reached = Reach(project(tmp_path), parse(RECORD))
    candidates = points(tmp_path, "sandboxd/plan/c.py")
    used = next(point for point in candidates if point.where == "NAMES")
    assert "tests/unit/rules/test_a.py::test_a" in reached.tests(used)
    unused = next(point for point in candidates if point.where == "WORDS")
    assert reached.tests(unused) == []


VALUES = """
_PARTS = ("a", "b")
PAIR, OTHER = (_PARTS, 1)
class Kind:
    LAYOUTS = ("x" in _PARTS, 2)
    def layout(self):
        return self.LAYOUTS
def pair():
    return PAIR
"""


@pytest.mark.parametrize(
    ("where", "places"),
    [("_PARTS", ["e.py:pair", "f.py:other"]), ("Kind", ["e.py:Kind.layout", "g.py:maker"])],
)
def test_a_value_is_used_by_way_of_others_and_a_class_by_its_own(
    tmp_path: Path, where: str, places: list[str]
) -> None:
    folder = project(tmp_path) / "sandboxd"
    (folder / "e.py").write_text(VALUES)
    (folder / "f.py").write_text("import e\n\ndef other():\n    return e.OTHER\n")
    (folder / "g.py").write_text("_PARTS = 1\ndef maker(Kind):\n    return Kind(_PARTS)\n")
    point = next(p for p in points(tmp_path, "sandboxd/e.py") if p.where == where)
    assert sorted(Users(tmp_path).of(point)) == [f"sandboxd/{place}" for place in places]


def test_one_change_costs_no_more_than_its_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "MOST_SECONDS", 0.5)
    point = next(p for p in points(project(tmp_path), "sandboxd/plan/c.py") if p.where == "allowed")
    assert Reach(tmp_path, parse(RECORD)).tests(point) == ["tests/unit/plan/test_c.py::test_slow"]


def test_only_files_of_tests_that_have_changed_are_recorded_again(tmp_path: Path) -> None:
    path = tmp_path / "reach"
    stamps = {"tests/unit/plan/test_c.py": "1", "tests/contract/test_any.py": "1"}
    Record(path).take(RECORD, stamps)
    again = Record(path)
    assert {test.name for test in again.tests()} == {
        "tests/unit/plan/test_c.py::test_slow",
        "tests/contract/test_any.py::test_any[a b]",
        "tests/contract/test_any.py::test_any[c]",
    }
    assert again.changed(stamps) == []
    stamps = {"tests/contract/test_any.py": "2"}
    assert again.changed(stamps) == ["tests/contract/test_any.py"]
    again.take("1 sandboxd/d.py:f\n1 = 0.1 tests/contract/test_any.py::test_new\n", stamps)
    assert [test.name for test in Record(path).tests()] == ["tests/contract/test_any.py::test_new"]


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
    assert "2 sandboxd/d.py:allowed" in lines
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


class Checkout:
    """A repository with one module and two files of tests."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.run("init", "-q", ".")
        for name in ("sandboxd/a.py", "tests/unit/test_a.py", "tests/unit/test_b.py"):
            self.write(name, "one\n")

    def run(self, *words: str) -> None:
        author = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *author, *words], cwd=self.root, check=True, capture_output=True)

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)
        self.run("add", name)
        self.run("commit", "-q", "-m", "x")

    def outcomes(self, processes: dict[str, list[str]] | None = None) -> Outcomes:
        return Outcomes(self.root, self.root / "kept", processes or {})


POINT = Point("sandboxd/a.py", 3, "guard dropped", 10, 20, "False", "x is None", "f")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def outcome(test: str) -> Outcome:
    return Outcome(POINT.title, POINT.path, POINT.line, POINT.kind, test)


def test_what_a_test_noticed_stands_until_the_test_or_the_code_is_another(
    checkout: Checkout,
) -> None:
    noticed = outcome("tests/unit/test_a.py::test")
    checkout.outcomes().keep(noticed)
    checkout.write("tests/unit/test_b.py", "two\n")
    assert checkout.outcomes().of(POINT._replace(line=9)) == noticed._replace(line=9)
    for name in ("tests/unit/test_a.py", "sandboxd/a.py"):
        checkout.write(name, "two\n")
        assert checkout.outcomes().of(POINT) == Again(first=noticed.noticed_by)
        checkout.outcomes().keep(noticed)


def test_a_survivor_is_tried_again_with_what_is_new(checkout: Checkout) -> None:
    survived = outcome("")
    checkout.outcomes().keep(survived)
    assert checkout.outcomes().of(POINT) == survived
    checkout.write("tests/unit/test_b.py", "two\n")
    assert checkout.outcomes().of(POINT) == Again(files=frozenset({"tests/unit/test_b.py"}))
    checkout.outcomes().keep(survived)
    of_process = {POINT.title: ["tests/integration/test_c.py"]}
    assert checkout.outcomes(of_process).of(POINT) == Again(files=frozenset())
    checkout.write("sandboxd/a.py", "two\n")
    assert checkout.outcomes().of(POINT) == Again()


def test_runs_of_pytest_know_nothing_of_each_other(tmp_path: Path) -> None:
    (tmp_path / "value.py").write_text("VALUE = 1\n")
    (tmp_path / "test_it.py").write_text(
        "import sys\nsys.dont_write_bytecode = True\nimport value\n"
        "def test_it(): assert value.VALUE == 1\n"
    )
    runner = Runner(Path(sys.executable), tmp_path, tmp_path / "output")
    words = ["-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "test_it.py"]
    try:
        assert runner.run(words)[0] == 0
        (tmp_path / "value.py").write_text("VALUE = 2\n")
        code, output = runner.run(words)
        assert code == 1 and "FAILED test_it.py::test_it" in output
        assert runner.run([*words, "-k", "nothing"])[0] == 5
    finally:
        runner.end()


def test_a_title_does_not_depend_on_the_line() -> None:
    point = POINT
    assert point.title == point._replace(line=4, start=30, end=40).title


def test_two_changes_that_read_the_same_have_two_titles(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("def f(a, b):\n    g(a > 1)\n    g(a > 1)\n")
    titles = [point.title for point in points(tmp_path, "m.py")]
    assert len(titles) == len(set(titles)) == 4
    assert any(title.endswith(" (number 2)") for title in titles)
