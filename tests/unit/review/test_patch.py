"""Changes as a person reads them: line ends as words, a file with another name as one thing."""

from __future__ import annotations

import pytest

from sandboxd.review import patch
from sandboxd.review.renames import renames
from sandboxd.review.weigh import Here, Item, Kind


def item(path: str, kind: Kind, old: bytes, new: bytes, **more: object) -> Item:
    values: dict[str, object] = {
        "executable": False,
        "link": False,
        "blocked": "",
        "control": "",
        "remarks": (),
        "here": Here(0o100644 if old else 0),
    }
    return Item(path, kind, old, new, **{**values, **more})  # type: ignore[arg-type]


def difference(old: bytes, new: bytes) -> list[str]:
    return list(patch.lines(item("a", "changed", old, new)))[2:]


def test_lines_of_a_file_from_windows_have_no_mark_at_their_end() -> None:
    assert difference(b"a\r\nb\r\n", b"a\r\nc\r\n")[1:] == [" a", "-b", "+c"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"a\nb\n", b"a\r\nb\r\n", "@@ line ends: LF becomes CRLF @@"),
        (b"a\r\nb\r\n", b"a\nb\n", "@@ line ends: CRLF becomes LF @@"),
    ],
)
def test_other_line_ends_are_one_line(old: bytes, new: bytes, words: str) -> None:
    assert difference(old, new) == [words]


def test_a_carriage_return_among_others_is_not_hidden() -> None:
    shown = difference(b"a\nb\n", b"a\nb\r\n")
    assert "+b\r" in shown and "-b" in shown
    assert "+x\ry\r" in difference(b"a\r\n", b"x\ry\r\n"), (
        "one within a line could hide what is before it"
    )


def test_a_file_with_another_name_is_one_thing() -> None:
    items = (
        item("new/a", "added", b"", b"one"),
        item("old/a", "deleted", b"one", b""),
        item("old/b", "deleted", b"two", b""),
    )
    assert renames(items) == {"new/a": "old/a"}


@pytest.mark.parametrize(
    "more",
    [
        {"control": "CI"},
        {"blocked": "a link"},
        {"remarks": ("made executable",)},
        {"link": True},
        {"executable": True},
    ],
)
def test_what_has_to_be_looked_at_is_no_other_name(more: dict[str, object]) -> None:
    items = (item("b", "added", b"", b"one", **more), item("a", "deleted", b"one", b""))
    assert renames(items) == {}


def test_empty_files_are_not_paired() -> None:
    items = (item("b", "added", b"", b""), item("a", "deleted", b"", b""))
    assert renames(items) == {}


def test_two_of_one_content_are_paired_once_each() -> None:
    items = (
        item("a", "deleted", b"x", b""),
        item("b", "deleted", b"x", b""),
        *(item(path, "added", b"", b"x") for path in ("c", "d", "e")),
    )
    assert renames(items) == {"c": "a", "d": "b"}
