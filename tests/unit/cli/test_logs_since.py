"""`logs --since`: how long ago, in the units of `docker logs`."""

from __future__ import annotations

import time

import pytest

from sandboxd.cli.commands import logs
from sandboxd.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("3h", 10800), ("2d", 172800)]
)
def test_a_number_with_a_unit_is_so_long_ago(
    monkeypatch: pytest.MonkeyPatch, text: str, seconds: int
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_000_000.9)
    assert logs._seconds(text) == 1_000_000 - seconds


@pytest.mark.parametrize("text", ["10", "m", "10w", "-5m"])
def test_anything_else_is_no_time(text: str) -> None:
    with pytest.raises(UsageError, match="is no time"):
        logs._seconds(text)
