"""What is in force in a sandbox, as the engine tells it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.model.engine_answers import Inspected
from sandboxd.operations import why
from sandboxd.state.failed_command import FailedCommand


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
    assert sandbox.was_out_of_memory is not runs


def test_the_gateway_of_the_named_sandbox_is_asked(tmp_path: Path) -> None:
    (tmp_path / "sandboxd.toml").write_text('profile = "agent"\n[network]\nmode = "allow"\n')
    asked: list[str] = []
    request: Any = SimpleNamespace(
        directory=str(tmp_path),
        environ={"HOME": str(tmp_path / "home")},
        name="login",
        find_gateway=asked.append,
    )
    failed = FailedCommand(f"{tmp_path}//login", str(tmp_path), ("x",), 1, "", 0.0, 1.0)
    assert why._attempts(request, failed) == ()
    assert asked == [f"{tmp_path}//login"]
