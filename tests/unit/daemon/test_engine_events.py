"""Which events of an engine are a reason to look at its sandboxes again."""

from __future__ import annotations

import pytest

from sandboxd.daemon.engine_events import EngineEvents

IDLE = ["exec_create: sh", "exec_start: sh", "exec_die", "top", "attach", "resize", "archive-path"]
REASONS = ["create", "start", "die", "destroy", "pause", "unpause", "rename", "oom"]


@pytest.mark.asyncio
@pytest.mark.parametrize("action", [*IDLE, "health_status: healthy", *REASONS])
async def test_what_only_looks_or_talks_is_no_reason(
    action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []
    events = EngineEvents({}, lambda: None, lambda: None)
    monkeypatch.setattr(events, "_call", calls.append)
    events._take({"Type": "container", "Action": action})
    assert bool(calls) == (action in REASONS)
