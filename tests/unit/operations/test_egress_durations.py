"""Lengths of time as `sandboxd egress allow --for` takes them."""

from __future__ import annotations

import pytest

from sandboxd.errors import UsageError
from sandboxd.operations.egress import durations


def test_lengths_of_time() -> None:
    seconds_by_text = {"90s": 90, "30m": 1800, "5min": 300, "2h": 7200, "7d": 604800}
    assert {text: durations.seconds(text) for text in seconds_by_text} == seconds_by_text
    for text in ("", "0h", "-1h", "1", "h", "1w", "1.5h", "999999d", "1h ", "\N{SUPERSCRIPT TWO}h"):
        with pytest.raises(UsageError):
            durations.seconds(text)
