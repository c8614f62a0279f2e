"""The parts of a mount rule, between blanks that stand in no brackets."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from sandboxd.rules.apparmor_blanket_mount import _words


@given(st.lists(st.sampled_from(["a", " ", "  ", "\n", "(", ")", "->", "(rw, bind)"])).map("".join))
def test_blanks_part_where_no_bracket_is_closed_behind_them(rest: str) -> None:
    assert list(_words(rest)) == re.split(r"\s+(?![^(]*\))", rest)
