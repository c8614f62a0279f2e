"""The shell of a sandbox: what is asked of the engine."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from sandboxd.engine.client import Engine
from sandboxd.operations import shell


@pytest.mark.parametrize("tty", [True, False])
def test_a_shell_reads_what_is_typed_or_piped(tty: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(shell, "exec_", lambda *call: calls.append(call))
    engine = cast("Engine", SimpleNamespace())
    shell.shell(engine, "/w", tty=tty, user="dev", env=["A=1"])
    [(_, folder, command, _, _)] = calls
    assert folder == "/w"
    assert (command.stdin, command.tty, command.user, command.env) == (True, tty, "dev", ["A=1"])
    assert command.command[:2] == ["sh", "-c"] and "exec bash -l" in command.command[2]
