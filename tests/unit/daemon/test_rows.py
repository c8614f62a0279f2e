"""Which of many projects a status shows, and how the others are counted."""

from __future__ import annotations

from sandboxd.daemon.projects import EngineKey, Tracked
from sandboxd.daemon.status_methods import choose_rows
from sandboxd.model.sandbox_id import sandbox_id
from sandboxd.status.observe import Observed, Sandbox

ENGINE = EngineKey("unix:///none", "")


def projects(number: int) -> dict[str, Tracked]:
    return {f"/p{n}": Tracked(f"/p{n}", ENGINE) for n in range(number)}


def test_few_are_all_shown_whatever_their_state() -> None:
    assert choose_rows(projects(3), "", Observed({}), 3) == (["/p0", "/p1", "/p2"], {})


def test_of_many_those_with_something_to_say_are_shown() -> None:
    known = projects(6)
    known["/p4"].has_problem = True
    known["/p5"].scan = known["/p5"].scan._replace(exists=False)
    shown, others = choose_rows(known, "/p3", Observed({}), 4)
    assert shown == ["/p3", "/p4", "/p5"]
    assert others == {"not created": 3}
    assert choose_rows(known, "/elsewhere", Observed({}), 1)[0] == ["/p4"]


def test_of_many_one_whose_only_sandbox_is_a_named_one_is_shown() -> None:
    observed = Observed({sandbox_id("/p2", "login"): Sandbox(True), "/gone": Sandbox(True)})
    known = projects(6)
    assert choose_rows(known, "", observed, 3) == (["/p2"], {"not created": 5})
    known["/p1"].has_problem = known["/p2"].has_problem = True
    assert choose_rows(known, "", observed, 1)[0] == ["/p2"], "before one that only has a problem"
    assert choose_rows(known, "/p2", observed, 2)[0] == ["/p1", "/p2"], "and once"
