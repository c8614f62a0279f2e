"""A certificate that holds at another time may be one that is fine, where the clock is wrong."""

from __future__ import annotations

import pytest

from sandboxd.egress.words import certificate


@pytest.mark.parametrize(
    ("code", "message", "is_of_time"),
    [
        (9, "certificate is not yet valid", True),
        (10, "certificate has expired", True),
        (18, "self-signed certificate", False),
        (62, "hostname mismatch", False),
    ],
)
def test_a_wrong_clock_is_thought_of(code: int, message: str, is_of_time: bool) -> None:
    text = certificate(code, message)
    assert text.startswith(message)
    assert ("the clock of this machine" in text) is is_of_time
