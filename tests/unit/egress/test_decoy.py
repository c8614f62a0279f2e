"""A gateway knows the decoy of its sandbox in names, heads and bodies, however a stream is cut."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.egress import decoy
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule, decide

DECOY = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
BASIC = base64.b64encode(f"backup:{DECOY}".encode())


@pytest.mark.parametrize(
    ("target", "value"),
    [
        (b"/", b"token " + DECOY.encode()),
        (b"/", b"Basic " + BASIC),
        (b"/?q=" + DECOY.encode(), b"x"),
        (b"/" + DECOY.replace("_", "%5F").encode(), b"x"),
    ],
)
def test_a_decoy_is_seen_in_a_head(target: bytes, value: bytes) -> None:
    head = [(b"x-any", value)]
    assert decoy.is_carried(b"GET", target, head, [DECOY])
    assert not decoy.is_carried(b"GET", target, head, ["ghp_" + "x" * 36])
    assert not decoy.is_carried(b"GET", target, head, [])


def test_a_decoy_is_seen_as_the_method_and_as_the_name_of_a_field() -> None:
    assert decoy.is_carried(DECOY.encode(), b"/", [], [DECOY])
    for name in (DECOY, f"x-{DECOY.lower()}"):
        assert decoy.is_carried(b"GET", b"/", [(name.encode(), b"x")], [DECOY])


@given(st.binary(max_size=60), st.binary(max_size=60), st.lists(st.integers(0, 160), max_size=12))
def test_a_decoy_is_seen_in_a_body_that_is_cut_anywhere(
    before: bytes, after: bytes, cuts: list[int]
) -> None:
    body = before + DECOY.encode() + after
    ends = [*sorted(cut for cut in cuts if cut < len(body)), len(body)]
    search, start, seen = decoy.Search([DECOY]), 0, False
    for end in ends:
        seen = search.feed(body[start:end]) or seen
        start = end
    assert seen


PIECES = st.sampled_from([DECOY[:-1], DECOY[-1:], DECOY[:1], DECOY[1:], DECOY[5:9], "", "x"])


@given(st.lists(PIECES.map(str.encode), max_size=6))
def test_a_body_passes_exactly_where_it_has_none(pieces: list[bytes]) -> None:
    search = decoy.Search([DECOY])
    seen = [search.feed(piece) for piece in pieces]
    assert any(seen) == (DECOY.encode() in b"".join(pieces))
    assert not decoy.Search([]).feed(DECOY.encode())


def test_a_name_that_holds_it_is_a_tripwire_whatever_allows_the_name() -> None:
    policy = Policy(rules=(Rule(pattern("*.open.example"), (80,)),), decoys=(DECOY,))
    for name in (f"{DECOY}.open.example", f"x{DECOY.upper()}.elsewhere.example"):
        assert decide(policy, name, 80, 0.0).reason == "canary"
    assert decide(policy, "ghp.open.example", 80, 0.0).reason == "allowed"
