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


@pytest.mark.parametrize(
    ("began", "is_named"),
    [(98.0, True), (100.0, True), (100.5, False), (97.0, True), (96.0, False)],
)
def test_a_name_counts_that_was_denied_while_the_command_ran(
    began: float, is_named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command takes a second, and the gateway has up to two more to say that it denied something at 100."""
    row = SimpleNamespace(
        name="denied.test", port=80, reason="no-rule", words="", detail="", rule="", command="",
        outcome="denied", first=100.0, last=100.0,
    )  # fmt: skip
    events = SimpleNamespace(rows=(row,))
    monkeypatch.setattr("sandboxd.operations.egress.log.log", lambda *_, **__: events)
    request: Any = SimpleNamespace(directory=str(tmp_path), environ={}, name="")
    failed = FailedCommand("a", str(tmp_path), ("x",), 1, "", began, began + 1.0)
    assert [each.name for each in why._attempts(request, failed)] == ["denied.test"] * is_named
