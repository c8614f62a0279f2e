"""Text for a terminal: nothing drives it, nothing is wider than it, no word is broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.screen import columns_of, cut, end_of_path, first_of, fit, row, visible, wrap

WORDS = st.lists(st.text("ab`·日", min_size=1, max_size=9), max_size=12).map(" ".join)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ✓", "plain ✓"),
        ("a\x1bb", "a<U+001B>b"),
        ("\U000e0072", "<U+E0072>"),
        ("\u202e", "<U+202E>"),
        ("a\nb", "a<U+000A>b"),
        ("\udcff", "<U+DCFF>"),
    ],
)
def test_what_does_not_print_is_shown_as_its_code_point(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_what_is_allowed_stays() -> None:
    assert visible("a\n\x07", "\n") == "a\n<U+0007>"


@given(WORDS, st.integers(10, 60))
def test_words_are_never_broken_and_none_is_lost(text: str, room: int) -> None:
    lines = wrap(text, room)
    assert " ".join(lines) == text
    assert all(columns_of(line) <= room or " " not in line for line in lines)


def test_a_command_stays_on_one_line_where_it_fits() -> None:
    assert wrap("then run `sandboxd trust add` here", 24) == [
        "then run",
        "`sandboxd trust add`",
        "here",
    ]
    assert wrap("`a b c d`", 5) == ["`a b", "c d`"]


@given(WORDS, st.integers(10, 60))
def test_what_is_cut_fits_and_says_so(text: str, room: int) -> None:
    short = cut(text, room)
    assert columns_of(short) <= room
    assert short == text if columns_of(text) <= room else short.endswith("…")


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/a/b", "/a/b"),
        ("/home/ann/projects/click", "…/ann/projects/click"),
        ("/home/" + "x" * 40, "…/" + "x" * 17 + "…"),
    ],
)
def test_of_a_long_path_the_end_is_shown(path: str, shown: str) -> None:
    assert end_of_path(path, 20) == shown


def test_a_text_stands_beside_its_label() -> None:
    assert row("label", "one two", 28, 22) == ["label" + " " * 17 + "one two"]
    assert row("l", "aaaaaaaaaa bbbbbbbbbb cc", 24, 4) == ["l   aaaaaaaaaa", "    bbbbbbbbbb cc"]


@pytest.mark.parametrize("columns", [30, 40, 80])
def test_fit_wraps_wide_lines_below_themselves_and_loses_no_word(columns: int) -> None:
    text = "verdict: " + "word " * 30 + "\n  - " + "more " * 30 + "\nshort"
    fitted = fit(text, columns)
    assert fitted.split() == text.split()
    assert all(columns_of(line) <= columns for line in fitted.split("\n"))
    assert "\n  word" in fitted and "\n    more" in fitted and fitted.endswith("\nshort")


def test_of_many_names_the_first_are_named_and_the_others_counted() -> None:
    names = ["a", "b", "c"]
    assert first_of(names, 3) == "`a`, `b`, `c`"
    assert first_of(names, 2) == "`a`, `b` and 1 more"
    assert first_of(names[:2], 2, 9) == "`a`, `b` and 7 more"
