"""What is in force in a sandbox, as the engine tells it."""

from __future__ import annotations

import pytest

from sandboxd.engine.answers import Inspected
from sandboxd.operations import why


@pytest.mark.parametrize("runs", [True, False])
def test_a_sandbox_that_goes_on_was_not_ended_for_its_memory(runs: bool) -> None:
    """An engine says `OOMKilled` of one in which the kernel ended any process, and goes on to say it."""
    inspected: Inspected = {
        "Id": "a",
        "Name": "/weather",
        "State": {"Running": runs, "OOMKilled": True},
        "HostConfig": {},
        "Config": {},
    }
    sandbox = why._in_force(inspected, None, {})
    assert sandbox.has_ended is not runs
    assert sandbox.was_out_of_memory is not runs
