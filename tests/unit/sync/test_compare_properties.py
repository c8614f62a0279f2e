"""Whatever two sides are: what is done can be done, ends, makes them the same, and loses nothing that anybody wrote."""

from __future__ import annotations

from collections.abc import Container

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import sandboxd.sync.compare as comparing
from sandboxd.policy.acts_on_host import beside_head
from sandboxd.sync.checked import checked
from sandboxd.sync.compare import compare
from sandboxd.sync.flows import Flow
from sandboxd.sync.names import Reading
from sandboxd.sync.state import FOLDER, Agreed, Content, Entry, Kind, Root, Snapshot
from tests.unit.sync.model import ALL, EXACT, Pair, Tree, link, of, snapshot
from tests.unit.sync.trees import NAMES, pair_of

PAIRS = st.integers(0, 2**40).map(pair_of)
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join)


def texts(*sides: Tree) -> set[str]:
    return {c.text for side in sides for c in side.values() if c.kind is Kind.FILE}


def flow(path: str, pair: Pair, is_folder: bool = False) -> Flow:
    return pair.policy.rule(path, is_folder).flow


@given(PAIRS)
def test_it_ends_and_says_why_anything_still_differs(pair: Pair) -> None:
    last = pair.settle()
    again = pair.compare()
    assert (again.host, again.inside, again.conflicts) == ((), (), last.conflicts)
    stays = {stay.path for stay in again.stays}
    for path in {*pair.host, *pair.inside}:
        if pair.host.get(path) == pair.inside.get(path):
            continue
        ways = path.split("/")
        ups = {"/".join(ways[:end]) for end in range(1, len(ways) + 1)}
        is_explained = bool(ups & stays) or any(
            flow(up, pair, is_folder) is Flow.NONE for up in ups for is_folder in (True, False)
        )
        holds_own = any(
            each.startswith(f"{path}/") and pair.host.get(each) != pair.inside.get(each)
            for each in {*pair.host, *pair.inside}
        )
        assert is_explained or holds_own, path


@given(PAIRS)
def test_no_change_of_either_side_is_lost(pair: Pair) -> None:
    """What differs from the agreed content at its path is somewhere afterwards."""
    new = {
        content.text
        for side in (pair.host, pair.inside)
        for path, content in side.items()
        if content.kind is Kind.FILE and content.text != pair.agreed.get(path, FOLDER).text
    }
    pair.settle()
    assert new <= texts(pair.host, pair.inside)


@given(PAIRS)
def test_what_must_not_pass_does_not(pair: Pair) -> None:
    host, inside = dict(pair.host), dict(pair.inside)
    pair.settle()
    for path, content in pair.host.items():
        if content.kind is not Kind.FOLDER and not flow(path, pair) & Flow.OUT:
            assert host.get(path) == content, path
    for path, content in host.items():
        if content.kind is not Kind.FOLDER and not flow(path, pair) & Flow.OUT:
            assert pair.host.get(path) == content, path
    for path, content in pair.inside.items():
        # A config beside a HEAD passes in wherever it is.
        is_outward = not flow(path, pair) & Flow.IN and not beside_head(path)
        if content.kind is not Kind.FOLDER and is_outward:
            was_aside = ".inside-" in path
            assert was_aside or inside.get(path) == content, path


@given(PAIRS)
def test_the_same_states_give_the_same_answer(pair: Pair) -> None:
    assert pair.compare() == pair.compare()


@given(PAIRS, st.sampled_from([ALL, frozenset()]), st.booleans())
def test_the_paths_that_are_passed_over_decide_nothing(
    pair: Pair, allowed: Container[str], is_unread: bool
) -> None:
    """As when each path of both sides is decided."""
    unknown = sorted(pair.host)[:1] if is_unread else []
    few = pair.compare(allowed=allowed, unknown_host=unknown)

    def all_paths(side: Snapshot, agreed: Agreed) -> set[str]:
        return {*side.entries, *agreed}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparing, "differences", all_paths)
        every = pair.compare(allowed=allowed, unknown_host=unknown)
    assert few == every


@given(PAIRS)
def test_a_host_that_folds_names_never_gets_two_that_are_one(pair: Pair) -> None:
    assume(len({path.casefold() for path in pair.host}) == len(pair.host))
    pair.settle(reading=Reading())
    assert len({path.casefold() for path in pair.host}) == len(pair.host)


ODD = st.text(st.sampled_from("ab/.\0~ "), max_size=6)
LIES = st.dictionaries(
    st.one_of(PATHS, ODD),
    st.builds(
        lambda kind, text, executable: Entry(Content(kind, text, executable)),
        st.sampled_from(Kind),
        st.one_of(st.just("0" * 64), ODD),
        st.booleans(),
    ),
    max_size=8,
)


@given(PAIRS, LIES, st.dictionaries(ODD, ODD, max_size=2), st.sets(ODD, max_size=2))
def test_a_side_that_lies_has_the_host_do_only_what_can_be_done(
    pair: Pair, entries: dict[str, Entry], unknown: dict[str, str], excluded: set[str]
) -> None:
    lies = checked(Snapshot(Root(1, 2), entries, 0, frozenset(excluded), unknown))
    pair.inside = {path: entry.content for path, entry in lies.entries.items()}
    host = pair.compare().host
    answer = compare(
        Snapshot(Root(1, 1), {path: Entry(content) for path, content in pair.host.items()}),
        lies,
        pair.agreed,
        pair.policy,
        reading=EXACT,
        allowed=ALL,
    )
    for step in (*host, *answer.host):
        assert all(part not in ("", ".", "..") for part in step.path.split("/"))
        assert "\0" not in step.path


def test_a_side_without_lies_is_taken_as_it_is() -> None:
    side = snapshot(of({"src/a.c": "a", "empty": None, "to": link("src/a.c")}))
    assert checked(side).entries is side.entries
