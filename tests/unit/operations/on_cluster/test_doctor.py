"""The version that a cluster says, which may be any text."""

from __future__ import annotations

import pytest

from sandboxd.operations.on_cluster.doctor import _number


@pytest.mark.parametrize(
    ("major", "minor", "number"),
    [
        ("1", "32", (1, 32)),
        ("1", "32+", (1, 32)),
        ("1", "1\u00b2", (1, 1)),
        ("", None, (0, 0)),
        ("1", "9" * 5000, (1, 999_999_999)),
    ],
)
def test_a_number_is_read_from_any_text(major: str, minor: object, number: tuple[int, int]) -> None:
    assert _number({"major": major, "minor": minor}) == number
