"""The last line of `sandboxd status --watch`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from sandboxd.cli import live_screen
from sandboxd.cli.commands import status
from sandboxd.ipc import messages
from sandboxd.ipc.client import ConnectionLost


class Connection:
    def request(self, *_words: object) -> None:
        pass


def lines_of(monkeypatch: pytest.MonkeyPatch, *events: dict[str, str]) -> list[str]:
    """The lines that are shown after these events, '' where the one before stays."""
    lines: list[str] = []

    def show(_: object, __: object, describe: Callable[[str, Mapping[str, Any]], str]) -> None:
        lines.extend(describe(messages.EVENT, event) for event in events)
        raise ConnectionLost("it ended")

    monkeypatch.setattr(live_screen, "show", show)
    with pytest.raises(Exception, match="the daemon ended"):
        status._show(Connection(), "text")
    return lines


def event(kind: str, path: str = "/w") -> dict[str, str]:
    return {"kind": kind, "path": path}


def test_what_was_written_is_not_covered_by_the_look_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = lines_of(monkeypatch, event("regenerated"), event("unchanged"), event("unchanged"))
    assert shown == ["regenerated  /w", "", ""]


@pytest.mark.parametrize("before", [event("invalid"), event("regenerated", "/other")])
def test_a_project_that_is_in_order_again_is_said(
    monkeypatch: pytest.MonkeyPatch, before: dict[str, str]
) -> None:
    assert lines_of(monkeypatch, before, event("unchanged"))[1] == "unchanged  /w"
