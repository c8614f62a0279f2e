"""Which of many projects a status shows, and how the others are counted."""

from __future__ import annotations

from sandboxd.daemon import rows
from sandboxd.daemon.projects import EngineKey, Tracked
from sandboxd.status.observe import Observed

ENGINE = EngineKey("unix:///none", "")


def projects(number: int) -> dict[str, Tracked]:
    return {f"/p{n}": Tracked(f"/p{n}", ENGINE) for n in range(number)}


def test_few_are_all_shown_whatever_their_state() -> None:
    assert rows.choose(projects(3), "", Observed({}), 3) == (["/p0", "/p1", "/p2"], {})


def test_of_many_those_with_something_to_say_are_shown() -> None:
    known = projects(6)
    known["/p4"].has_problem = True
    known["/p5"].scan = known["/p5"].scan._replace(exists=False)
    shown, others = rows.choose(known, "/p3", Observed({}), 4)
    assert shown == ["/p3", "/p4", "/p5"]
    assert others == {"not created": 3}
    assert rows.choose(known, "/elsewhere", Observed({}), 1)[0] == ["/p4"]
