"""Hooks in a container of an engine whose connection breaks."""

from __future__ import annotations

from typing import Any

import pytest

from sandboxd.engine import execute
from sandboxd.errors import EnvironmentFailure
from sandboxd.life.hooks_in_container import InContainer
from tests.unit.plan.examples import GVISOR, RUNC_GRANTED, plan

PLAN = plan('runtime = "runc"', GVISOR, grants=RUNC_GRANTED)


@pytest.mark.parametrize(
    "error",
    [OSError(113, "No route to host"), ValueError("no frame"), EnvironmentFailure("no engine", "")],
)
def test_what_cannot_be_signalled_is_left_alone(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a Pod: the error for which the hook ends is told, and not one of ending it."""

    def broken(*_: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(execute, "run_quietly", broken)
    engine: Any = None
    inspected: Any = {"Id": "c", "Config": {}, "State": {}}
    InContainer(engine, inspected, PLAN).signal("SANDBOXD_HOOK=1", 15, 1)
