"""The figures of the house: what they count, and that the table can be had."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tools.house import __main__ as house
from tools.house import structure, ways
from tools.house.trace import Trace, module_of

SOURCES = {
    "__init__": "",
    "text": "",
    "model.a": "from sandboxd import text\nfrom typing import TYPE_CHECKING\n"
    "if TYPE_CHECKING:\n    from sandboxd.model.b import B\n",
    "model.b": "from sandboxd.model.a import A\n",
    "formats.x": "def f():\n    from sandboxd.model.b import B\n",
}


def test_what_stands_on_what_is_counted_with_late_imports_and_those_for_types() -> None:
    assert structure.floors(SOURCES) == {"__init__": 0, "text": 0, "model": 1, "formats": 2}
    counts = structure.measure(SOURCES)
    assert (counts.rooms, counts.floors, counts.circles, counts.modules) == (2, 3, 1, 5)


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, [["c"], ["b"], ["a"]]),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}}, [["a", "b", "c"]]),
        ({"a": {"b", "d"}, "b": {"a"}, "c": {"d"}, "d": {"c"}}, [["d", "c"], ["a", "b"]]),
    ],
)
def test_a_group_is_what_reaches_each_other(
    edges: dict[str, set[str]], expected: list[list[str]]
) -> None:
    found = structure.groups(edges)
    assert [sorted(group) for group in found] == [sorted(group) for group in expected]


def test_a_call_into_a_room_above_is_a_climb_back() -> None:
    floors = {"cli": 3, "life": 2, "text": 0}
    calls = {("", "cli.main"), ("cli.main", "life.up_down"), ("life.up_down", "cli.progress")}
    way = ways.way(calls, floors)
    assert way.modules == ("cli.main", "cli.progress", "life.up_down")
    assert way.rooms == ("cli", "life")
    assert way.climbs == (("life.up_down", "cli.progress"),)
    assert way.of(("life", "cl")) == ("life.up_down",)


def test_the_files_of_rules_are_one_module_on_a_way() -> None:
    called = ("rules", "rules._mounts", "rules.host_ipc", "rules.host_pid")
    way = ways.way({("analysis", name) for name in called}, {"analysis": 1, "rules": 0})
    assert way.modules == ("rules", "rules.*", "rules._mounts")


def test_a_trace_has_the_modules_whose_functions_are_called() -> None:
    from sandboxd import text

    with Trace() as trace:
        text.SourceText("x", "a\nb").text.splitlines()
        text.apply_edits("abc", ())
    text.apply_edits("abc", ())
    assert trace.calls == {("", "text")}
    assert sys.getprofile() is None
    assert module_of(text.__file__) == "text"
    assert module_of(__file__) == ""


def test_the_table_can_be_had(capsys: pytest.CaptureFixture[str], own_home: Path) -> None:
    assert house.main([]) == 0
    rows = re.findall(r"^\| (.*?) \| (.*?) \| (.*?) \|$", capsys.readouterr().out, re.MULTILINE)
    figures = {measure: today for measure, today, _ in rows}
    assert int(figures["modules on the way of `up`"]) > int(figures["rooms on the way of `up`"]) > 1
    assert int(figures["modules from a keystroke to a squiggle"]) > 1
    assert figures["modules on the way of `up --on`"] == "not measured: `--engine`"
    assert int(figures["lines"].replace(",", "")) > int(figures["modules"].replace(",", "")) > 1000
