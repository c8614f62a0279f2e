"""The comparison, case by case."""

from __future__ import annotations

from collections.abc import Container

import pytest

from sandboxd.sync.compare import compare
from sandboxd.sync.flows import Policy
from sandboxd.sync.state import FOLDER, Root
from sandboxd.sync.steps import Act, Side
from sandboxd.sync.stops import Reason, Roots, Stop
from tests.unit.sync.model import Pair, file, link, of, snapshot

NO_BUILD = Policy(is_ignored=lambda path, is_folder: is_folder and path.endswith("build"))


def test_at_first_both_get_what_the_other_has() -> None:
    pair = Pair(of({"a": "1", "both": "x"}), of({"b/c": "2", "both": "x"}))
    pair.settle()
    assert pair.host == pair.inside == pair.agreed == of({"a": "1", "b/c": "2", "both": "x"})


def test_a_conflict_keeps_both_and_the_host_s_stays_at_its_place() -> None:
    pair = Pair(of({"a": "host"}), of({"a": "inside"}), of({"a": "old"}))
    first = pair.once()
    (conflict,) = first.conflicts
    assert conflict.beside.startswith("a.inside-")
    pair.settle()
    assert pair.host == pair.inside == {"a": file("host"), conflict.beside: file("inside")}


def test_a_conflict_of_a_file_that_acts_stays_inside() -> None:
    pair = Pair(
        of({".gitattributes": "host"}),
        of({".gitattributes": "inside"}),
        of({".gitattributes": "old"}),
    )
    pair.settle()
    assert pair.host == of({".gitattributes": "host"})
    assert sorted(content.text for content in pair.inside.values()) == sorted(
        (file("host").text, file("inside").text)
    )


def test_a_name_that_is_too_long_for_a_second_one_leaves_both() -> None:
    name = "x" * 250
    pair = Pair(of({name: "host"}), of({name: "inside"}))
    last = pair.settle()
    assert (pair.host, pair.inside) == (of({name: "host"}), of({name: "inside"}))
    assert [conflict.path for conflict in last.conflicts] == [name]


def test_a_file_in_the_place_of_a_folder_takes_it_where_nobody_changed_that() -> None:
    old = of({"d/a": "1", "d/e/b": "2"})
    pair = Pair(old, of({"d": "file"}), old)
    pair.settle()
    assert pair.host == pair.inside == of({"d": "file"})


def test_a_file_in_the_place_of_a_folder_whose_files_were_changed() -> None:
    old = of({"d/a": "1", "d/e/b": "2"})
    pair = Pair(of({"d/a": "new", "d/e/b": "2"}), of({"d": "file"}), old)
    pair.settle()
    assert pair.host == pair.inside
    assert pair.host["d/a"] == file("new")
    assert file("file") in pair.host.values()


def test_a_folder_that_the_host_replaced_is_put_aside_with_what_is_new_in_it() -> None:
    old = of({"d/a": "1"})
    pair = Pair(of({"d": "file"}), of({"d/a": "new"}), old)
    pair.settle()
    assert pair.host == pair.inside
    assert pair.host["d"] == file("file")
    assert file("new") in pair.host.values()


def test_a_folder_that_holds_what_acts_is_not_replaced_from_inside() -> None:
    old = of({"d/.vscode/tasks.json": "1"})
    pair = Pair(old, of({"d": "file"}), old)
    last = pair.settle()
    assert pair.host == old
    assert [stay.path for stay in last.stays] == ["d"]


def test_a_removed_folder_stays_where_it_has_files_that_stay() -> None:
    pair = Pair({}, of({"p/a": "1", "p/build/x": "own"}), of({"p/a": "1"}), NO_BUILD)
    pair.settle()
    assert pair.host == {}
    assert pair.inside == of({"p/build/x": "own"})


def test_what_was_ignored_for_a_while_is_not_removed_when_it_is_no_more() -> None:
    both = of({"build/x": "1"})
    pair = Pair(both, {"build": FOLDER}, both, NO_BUILD)
    pair.settle()
    pair.policy = Policy()
    pair.settle()
    assert pair.host == pair.inside == both


def test_a_file_where_the_other_side_has_a_folder_that_stays() -> None:
    pair = Pair(of({"build": "file"}), of({"build/x": "own"}), {}, NO_BUILD)
    last = pair.settle()
    assert (pair.host, pair.inside) == (of({"build": "file"}), of({"build/x": "own"}))
    assert [stay.path for stay in last.stays] == ["build"]


@pytest.mark.parametrize("unknown", ["d", "d/a"])
def test_what_cannot_be_read_is_not_gone(unknown: str) -> None:
    both = of({"d/a": "1", "b": "2"})
    pair = Pair(both, both, both)
    del pair.inside["b"]
    for _ in range(3):
        stays = pair.once(unknown_inside=[unknown]).stays
        assert [(stay.path, stay.why) for stay in stays] == [(unknown, "permission denied")]
        assert pair.host == of({"d/a": "1"})
    pair = Pair(both, both, both)
    for _ in range(3):
        pair.once(unknown_host=[unknown])
        assert pair.inside == both


def test_a_link_that_leads_out_stays_inside() -> None:
    pair = Pair({}, {"in": link("a"), "out": link("/etc")})
    last = pair.settle(why_no_link=lambda _path, target: "out" if target == "/etc" else "")
    assert pair.host == {"in": link("a")}
    assert [(stay.path, stay.why) for stay in last.stays] == [("out", "out")]


def test_what_runs_in_a_build_is_marked() -> None:
    comparison = Pair({}, of({"conftest.py": "1", "a": "2"})).compare()
    assert [mark.path for mark in comparison.marked] == ["conftest.py"]


def test_a_new_file_is_there_before_what_it_was_renamed_from_goes() -> None:
    pair = Pair(of({"a": "1"}), of({"b": "1"}), of({"a": "1"}))
    assert [(step.act, step.path) for step in pair.compare().host] == [
        (Act.CREATE, "b"),
        (Act.REMOVE, "a"),
    ]


# -- when nothing is done


def files(number: int) -> dict[str, str]:
    return {f"f{index}": str(index) for index in range(number)}


def stop(pair: Pair, allowed: Container[str] = frozenset()) -> Stop | None:
    comparison = pair.compare(allowed=allowed)
    assert comparison.stop is None or (comparison.host, comparison.inside) == ((), ())
    return comparison.stop


@pytest.mark.parametrize(
    ("total", "removed", "asks"),
    [
        (1000, 100, False),
        (1000, 101, True),
        (100, 20, False),
        (100, 21, True),
        (11, 10, False),
        (12, 11, True),
    ],
)
def test_many_removals_are_asked_about(total: int, removed: int, asks: bool) -> None:
    both = of(files(total))
    inside = {path: content for path, content in both.items() if int(path[1:]) >= removed}
    assert (stop(Pair(both, inside, both)) is not None) is asks
    gone = {f"f{number}" for number in range(removed)}
    assert stop(Pair(both, inside, both), gone) is None
    # Consent to so many files is none to as many others.
    assert (stop(Pair(both, inside, both), gone - {"f0"} | {"other"}) is not None) is asks
    # The host's own are its own.
    assert stop(Pair(inside, both, both)) is None


def test_files_that_are_only_renamed_are_not_counted() -> None:
    both = of(files(300))
    moved = of({f"d/{path}": text for path, text in files(300).items()})
    assert stop(Pair(both, moved, both)) is None


def test_a_side_without_any_file_is_not_believed() -> None:
    both = of(files(3))
    assert stop(Pair(both, {}, both)) == Stop(Reason.EMPTIED, Side.INSIDE, frozenset(both))
    assert stop(Pair({}, both, both)) == Stop(Reason.EMPTIED, Side.HOST, frozenset(both))
    assert stop(Pair(both, {}, both), both) is None
    assert stop(Pair(both, {})) is None


def test_another_folder_than_before_is_not_believed() -> None:
    both = of(files(3))
    host, inside = snapshot(both, number=1), snapshot(both, number=2)
    for roots, side in (
        (Roots(Root(1, 9), Root(1, 2)), Side.HOST),
        (Roots(Root(1, 1), Root(9, 2)), Side.INSIDE),
    ):
        answer = compare(host, inside, both, Policy(), roots=roots)
        assert answer.stop == Stop(Reason.REPLACED, side)
    assert compare(host, inside, both, Policy(), roots=Roots(Root(1, 1), Root(1, 2))).stop is None


def test_a_side_that_was_not_looked_at_as_a_whole_is_not_compared() -> None:
    both = of(files(3))
    part = snapshot(both)._replace(is_whole=False)
    assert compare(part, snapshot(both), both, Policy()).stop == Stop(Reason.TOO_LARGE, Side.HOST)
    assert compare(snapshot(both), part, both, Policy()).stop == Stop(Reason.TOO_LARGE, Side.INSIDE)
