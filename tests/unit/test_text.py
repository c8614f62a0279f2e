"""Positions, spans and edits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.text import Edit, Position, SourceText, Span, apply_edits

ENCODINGS = ("utf-8", "utf-16", "utf-32")


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("", [0]),
        ("a", [0]),
        ("a\nb", [0, 2]),
        ("a\r\nb\r\n", [0, 3, 6]),
        ("a\rb\nc", [0, 2, 4]),
        # Line ends for str.splitlines, but not for editors.
        ("a\u2028b\x0cc\x85d\x1ee", [0]),
    ],
)
def test_lines_end_where_editors_end_them(text: str, starts: list[int]) -> None:
    assert SourceText("f", text).line_starts() == starts


@pytest.mark.parametrize(
    ("encoding", "column"),
    [("utf-32", 2), ("utf-16", 3), ("utf-8", 6)],
)
def test_columns_count_the_units_of_the_encoding(encoding: str, column: int) -> None:
    source = SourceText("f", "x\n\N{DOG FACE}éz")
    assert source.position(4, encoding) == Position(1, column)  # type: ignore[arg-type]


def test_offsets_are_clamped_as_lsp_asks() -> None:
    source = SourceText("f", "ab\ncd")
    assert source.offset(Position(0, 99)) == 2
    assert source.offset(Position(9, 0)) == 5
    assert source.offset(Position(-1, 4)) == 0
    assert source.position(99) == Position(1, 2)
    assert source.position(-5) == Position(0, 0)


@given(st.text(), st.data(), st.sampled_from(ENCODINGS))
def test_position_and_offset_are_inverse(text: str, data: st.DataObject, encoding: str) -> None:
    source = SourceText("f", text)
    offset = data.draw(st.integers(0, len(text)))
    if offset and text[offset - 1 : offset + 1] == "\r\n":
        return  # between \r and \n there is no position of its own
    position = source.position(offset, encoding)  # type: ignore[arg-type]
    back = source.offset(position, encoding)  # type: ignore[arg-type]
    # The position after a line end's first character is the end of that line for an editor.
    assert back == offset or text[back:offset] in ("\r", "\n")


@given(st.text(), st.data())
def test_line_text_joined_by_line_ends_is_the_text(text: str, data: st.DataObject) -> None:
    source = SourceText("f", text)
    line = data.draw(st.integers(0, len(source.line_starts()) - 1))
    start = source.line_starts()[line]
    content = source.line_text(line)
    assert text.startswith(content, start)
    assert "\n" not in content and "\r" not in content


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_ends_before_each_kind_of_line_end(end: str) -> None:
    source = SourceText("f", f"a{end}{end}b{end}")
    assert [source.line_text(line) for line in range(4)] == ["a", "", "b", ""]


def test_edits_apply_in_place_order_and_refuse_overlap() -> None:
    edits = [Edit(Span(4, 5), "E"), Edit(Span(0, 1), ""), Edit(Span(2, 2), "+")]
    assert apply_edits("abcde", edits) == "b+cdE"
    with pytest.raises(ValueError, match="overlap"):
        apply_edits("abcde", [Edit(Span(0, 3), ""), Edit(Span(2, 4), "")])


@pytest.mark.parametrize(("text", "end"), [("a", "\n"), ("a\r\nb", "\r\n"), ("a\rb", "\r")])
def test_line_end_follows_the_file(text: str, end: str) -> None:
    assert SourceText("f", text).line_end() == end
