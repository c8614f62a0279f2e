"""Which tests a change is tried with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.integration.tools.test_mutation import RECORD, project
from tools.mutation.concern import Suite
from tools.mutation.points import points
from tools.mutation.reach import Reach
from tools.mutation.record import parse
from tools.mutation.trial import Workplace


def test_an_item_of_a_list_is_also_tried_with_the_tests_of_its_room(tmp_path: Path) -> None:
    """Their cases are made from it before one of them runs, so they are recorded to run nothing of it."""
    near = "tests/unit/plan/test_near.py"
    (tmp_path / near).parent.mkdir(parents=True)
    (tmp_path / near).touch()
    place: Any = object.__new__(Workplace)
    place.reach, place.tests = Reach(project(tmp_path), parse(RECORD)), Suite(tmp_path)
    place.root, place.red, place._processes = tmp_path, (), {}
    reached = [p for p in points(tmp_path, "sandboxd/plan/c.py") if place.reach.tests(p)]
    assert {point.kind == "list item" for point in reached} == {True, False}
    for point in reached:
        tried = [word for words in place._words(point, "", None) for word in words]
        assert (near in tried) == (point.kind == "list item")
        assert not any(place._words(point, "", ["tests/unit/other/test_new.py"]))
