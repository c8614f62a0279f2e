"""Whom a user's name stands for: the first line that has it, and root where there is no number."""

from __future__ import annotations

import pytest

from sandboxd.sandbox.named_user import number_of

TABLE = b"root:x:0:0::/:/bin/sh\ndev:x:1000:1000::/home/dev:/bin/sh\n dev:x:0:0:::\nbare\nno:x:\nodd:x:abc:0\n"


@pytest.mark.parametrize(
    ("name", "number"),
    [("root", "0"), ("dev", "1000"), ("bare", "0"), ("no", "0"), ("odd", "abc"), ("who", "")],
)
def test_the_number_of_a_name(name: str, number: str) -> None:
    assert number_of(TABLE, name) == number
