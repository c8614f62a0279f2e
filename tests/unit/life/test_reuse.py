"""A container of an earlier start is used again only as it is now, not as the engine's list had it."""

from __future__ import annotations

import contextlib
import os
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.engine.client import Summary
from sandboxd.life import egress, overlaps, private_copy, reuse
from sandboxd.review import collect, stop_notes

LISTED = Summary("c1", "app", "image", "running", {}, 0)


@pytest.mark.parametrize(
    ("state", "how"), [("running", "already running"), ("exited", "restarted")]
)
def test_a_container_that_the_list_still_has_as_running_is_looked_at(
    state: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspected: Any = {"State": {"Status": state}}
    engine = SimpleNamespace(inspect=lambda _id: inspected)
    start: Any = SimpleNamespace(
        engine=engine,
        identity={},
        beside=None,
        progress=lambda _text: None,
        plan=SimpleNamespace(workspace="/p"),
        allowed=lambda: None,
    )
    monkeypatch.setattr(private_copy, "is_whole", lambda *_: True)
    monkeypatch.setattr(overlaps, "refuse", lambda *_: None)
    monkeypatch.setattr(egress, "beside", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(reuse, "_start_again", lambda *_: inspected)
    assert reuse.reuse(start, LISTED) == reuse.Reused(how, inspected)  # type: ignore[arg-type]


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_container_whose_end_was_killed_goes_on_before_it_is_used(
    goes_on: bool, own_home: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspected: Any = {"State": {"Status": "running"}}
    start: Any = SimpleNamespace(
        engine=SimpleNamespace(inspect=lambda _id: inspected),
        identity={},
        beside=None,
        plan=SimpleNamespace(workspace="/p"),
        allowed=lambda: None,
    )
    monkeypatch.setattr(private_copy, "is_whole", lambda *_: True)

    def let_go_on(_engine: object, container: str) -> bool:
        if goes_on:
            stop_notes.forget(os.environ, container)
        return goes_on

    monkeypatch.setattr(collect, "let_go_on", let_go_on)
    stop_notes.note(os.environ, LISTED.id)
    if not goes_on:
        assert "its processes are stopped" in str(reuse.reuse(start, LISTED))
        assert stop_notes.is_noted(os.environ, LISTED.id)
        return
    assert reuse.reuse(start, LISTED) == reuse.Reused("resumed", inspected)
    assert reuse.reuse(start, LISTED) == reuse.Reused("already running", inspected)
