"""The first line of `bench -- COMMAND`: the cost, and the change that helps most, by what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandboxd.bench.changes import changes, count_files, filled_folder
from sandboxd.bench.results import COMMAND, Results, Row, Trial, Variant, best, conclusion
from sandboxd.cli import bench_report
from sandboxd.config.model import Config, Setting, WorkspaceWishes
from sandboxd.model.container import Container, Mount
from sandboxd.model.values import Origin, Value
from sandboxd.plan.plan import Plan

RUNC = Variant("runc", "runc, profile dev", "dev", "runc")
GVISOR = Variant("gvisor", "gVisor, profile dev", "dev", "runsc-sandboxd")
COPY = Trial('layout = "clone"', "a private copy", 9000, 0.57, 0.53, 1.08)
MEMORY = Trial('hot = ["out"]', "what is in `out` is gone", 8500, 0.54, 0.46, 0.61)
FAILS = Trial('hot = ["lib"]', "x", why="`make test` fails in it: no lib")


def results(runc: list[float], gvisor: list[float], *trials: Trial, own: str = "gvisor") -> Results:
    row = Row(COMMAND, "make test", "one run", {"runc": runc, "gvisor": gvisor}, {})
    return Results("app", (RUNC, GVISOR), (row,), 2, "2026-01-02", {}, (), own, trials)


@pytest.mark.parametrize(
    ("measured", "says"),
    [
        (
            results([1000, 2000], [2850, 5700], COPY, MEMORY, FAILS),
            '`make test` takes 2.85 x as long in gVisor as in runc; `hot = ["out"]` makes it 1.54 x',
        ),
        (
            results([1000], [2850], COPY, FAILS),
            "`make test` takes 2.85 x as long in gVisor as in runc; none of 2 changes helps",
        ),
        (
            results([1000], [2850], COPY),
            "`make test` takes 2.85 x as long in gVisor as in runc; the change that was tried does "
            "not help",
        ),
        (
            results([1000], [2850]),
            "`make test` takes 2.85 x as long in gVisor as in runc; there is no change to try",
        ),
        (
            results([1000], [1040]),
            "`make test` takes no longer in gVisor than in runc: 1.04 x",
        ),
        (
            results([1000], [2850], own="runc"),
            "`make test` takes 2.85 x as long in gVisor as in runc, which this project uses",
        ),
        (
            results([1000], [])._replace(left_out=("gVisor, profile dev: it is not installed",)),
            "`make test` takes 1.00 s in runc; gVisor, profile dev: it is not installed",
        ),
    ],
)
def test_one_sentence(measured: Results, says: str) -> None:
    assert conclusion(measured) == says


def test_a_change_helps_only_where_every_round_was_faster() -> None:
    assert best(results([1], [3], COPY)) is None
    assert best(results([1], [3], COPY, MEMORY)) is MEMORY
    slight = COPY._replace(ratio=0.95, high=0.97)
    assert best(results([1], [3], slight)) is None
    assert best(results([1], [3], FAILS)) is None


def test_the_screen_begins_with_it_and_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    screen = bench_report.table(results([1000, 2000], [2850, 5700], COPY, MEMORY, FAILS))
    assert screen.startswith("`make test` takes 2.85 x as long in gVisor as in runc;")
    assert max(map(len, screen.split("\n"))) <= 80
    assert '  hot = ["out"]: 8.50 s  0.54 x (0.46-0.61)\n    with what is in' in screen
    assert "not measured: `make test` fails in it: no lib" in screen


def test_workloads_are_no_work_of_the_users() -> None:
    row = Row("walking", "walking the workspace", "", {"runc": [1], "gvisor": [3]}, {})
    assert conclusion(results([], [])._replace(rows=(row,))) == ""


def test_the_folder_that_a_command_fills(tmp_path: Path) -> None:
    for name, count in (("src", 30), (".git", 40), ("out", 3)):
        (tmp_path / name / "deep").mkdir(parents=True)
        for number in range(count):
            (tmp_path / name / "deep" / str(number)).touch()
    (tmp_path / "link").symlink_to(tmp_path / "src")
    before = count_files(str(tmp_path))
    assert before == {"src": 30, "out": 3}
    assert filled_folder(before, before) is None
    assert filled_folder(before, {**before, "out": 22}) is None
    assert filled_folder(before, {**before, "src": 29, "out": 24, "new": 20}) == "out"
    assert filled_folder({}, {}) is None


def value(item: Any) -> Value[Any]:
    return Value(item, Origin("plan", "test"))


def plan_with(*memory: str, copies: bool = False) -> Plan:
    mounts = [value(Mount("tmpfs", "", f"/workspaces/app/{name}")) for name in memory]
    working_dir = value("/workspaces/app")
    container = Container("c", None, working_dir=working_dir, mounts=tuple(mounts))
    return Plan("/w/app", "dev", container, (), (), prepare=("cp",) if copies else ())


def test_what_is_in_memory_already_stays_there() -> None:
    config = Config(None, "/w")
    lines = [change.line for change in changes(config, plan_with("node_modules"), "out")]
    assert lines == ['layout = "clone"', 'hot = ["node_modules", "out"]']
    wishes = WorkspaceWishes(hot=(Setting("lib"),))
    _, memory = changes(config._replace(wishes=wishes), plan_with("lib"), 'a"b')
    assert memory.line == 'hot = ["lib", "a\\"b"]'
    changed = memory.applied_to(config)
    assert [each.value for each in changed.wishes.hot or ()] == ["lib", 'a"b']


def test_a_copy_has_nothing_to_try() -> None:
    assert changes(Config(None, "/w"), plan_with(copies=True), "out") == ()
    assert len(changes(Config(None, "/w"), plan_with(), None)) == 1
