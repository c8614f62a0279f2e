"""The last result of `verify`, in words."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sandboxd.status.verification import Verification, sentence


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("void", "void: it is not what was attacked"),
        ("escaped", "DID NOT HOLD"),
        ("not shown", "not shown to hold, "),
        ("held", "held against 3 attempts to escape"),
    ],
)
def test_a_result_is_said_with_its_age(state: Any, words: str) -> None:
    result = Verification(state, time.time() - 60, 3, ("pin-truncate",) * (state == "escaped"))
    said = sentence(result)
    assert said.startswith(words)
    assert ("pin-truncate" in said) == (state == "escaped")
