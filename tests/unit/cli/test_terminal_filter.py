"""Nothing that a sandbox writes drives the terminal of whoever reads its log."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandboxd.cli.terminal_filter import TerminalFilter


def filtered(data: bytes) -> str:
    return TerminalFilter().feed(data, is_last=True).decode()


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (b"plain\ttext\n", "plain\ttext\n"),
        ("grün ✓\n".encode(), "grün ✓\n"),
        (b"\x1b[1;31mred\x1b[0m\n", "\x1b[1;31mred\x1b[0m\n"),
        (b"\x1b]52;c;ZXZpbA==\x07", "<U+001B>]52;c;ZXZpbA==<U+0007>"),
        (b"\x1b]0;a title\x1b\\", "<U+001B>]0;a title<U+001B>\\"),
        (b"one\x1b[1A\x1b[2Ktwo", "one<U+001B>[1A<U+001B>[2Ktwo"),
        (b"seen\rhidden", "seen<U+000D>hidden"),
        ("\u202egnp.exe".encode(), "<U+202E>gnp.exe"),
        ("\x9b31m".encode(), "<U+009B>31m"),
        (b"\xff\xfe", "\\xff\\xfe"),
        (b"\r\n", "\n"),
        (b"\x1b", "<U+001B>"),
    ],
)
def test_text_and_colours_pass_and_nothing_else(written: bytes, shown: str) -> None:
    assert filtered(written) == shown


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(), st.lists(st.integers(0, 200)))
def test_the_filter_does_not_depend_on_where_pieces_end(data: bytes, cuts: list[int]) -> None:
    whole = TerminalFilter()
    once = whole.feed(data) + whole.feed(b"", is_last=True)
    pieces = TerminalFilter()
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    output = b"".join(pieces.feed(data[start:end]) for start, end in itertools.pairwise(places))
    assert output + pieces.feed(b"", is_last=True) == once


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.binary())
def test_no_control_character_but_line_end_tab_and_colours_comes_through(data: bytes) -> None:
    shown = filtered(data)
    without_colours = shown
    while (start := without_colours.find("\x1b[")) >= 0:
        end = without_colours.index("m", start)
        assert set(without_colours[start + 2 : end]) <= set("0123456789;")
        without_colours = without_colours[:start] + without_colours[end + 1 :]
    assert all(char.isprintable() or char in "\n\t" for char in without_colours)
