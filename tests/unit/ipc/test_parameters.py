"""Parameters of an operation are of the kind that they have to be, or refused by their name."""

from __future__ import annotations

from typing import Any

import pytest

from sandboxd.daemon import callers
from sandboxd.ipc import parameters
from sandboxd.ipc.parameters import InvalidParams

VIEW: dict[str, Any] = {"directory": "/w", "device": 1, "inode": 2, "folders": {"HOME": "/h"}}


@pytest.mark.parametrize("value", [0, 1, "true", None, []])
def test_a_switch_is_true_or_false(value: object) -> None:
    with pytest.raises(InvalidParams, match="`rebuild` is neither true nor false"):
        parameters.flag({"rebuild": value}, "rebuild")
    assert parameters.flag({"rebuild": True}, "rebuild") is True
    assert parameters.flag({}, "rebuild") is False


@pytest.mark.parametrize("value", [True, "1", 1.0, None])
def test_a_number_is_whole(value: object) -> None:
    with pytest.raises(InvalidParams, match="`port` is not a whole number"):
        parameters.number({"port": value}, "port")
    assert parameters.number({"port": 0}, "port") == 0


def test_what_a_caller_sees_is_read_as_it_is_written() -> None:
    assert callers.read_view({"view": VIEW}) == VIEW


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("directory", "w"),
        ("directory", "/w\0"),
        ("directory", 3),
        ("device", "1"),
        ("inode", None),
        ("folders", []),
        ("folders", {"HOME": 1}),
    ],
)
def test_a_view_that_is_not_described_is_refused(key: str, value: object) -> None:
    with pytest.raises(InvalidParams):
        callers.read_view({"view": {**VIEW, key: value}})
    with pytest.raises(InvalidParams, match="`view` is not an object"):
        callers.read_view({})
