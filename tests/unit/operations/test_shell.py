"""The shell of a sandbox: what is asked of the engine."""

from __future__ import annotations

import subprocess
from pathlib import Path
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
    assert command.command[:2] == ["sh", "-c"]
    assert (
        subprocess.run(
            [*command.command[:1], "-n", "-c", command.command[2]], check=False
        ).returncode
        == 0
    )


@pytest.mark.parametrize(
    ("own", "there", "chosen"),
    [
        ("", ("zsh", "fish"), "zsh"),
        ("", ("fish",), "fish"),
        ("", (), "sh"),
        ("/usr/sbin/nologin", ("bash",), "bash"),
        ("fish", ("bash", "fish"), "fish"),
        ("zsh", ("bash",), "bash"),
    ],
)
def test_the_user_s_own_shell_is_begun_else_the_first_that_is_there(
    own: str, there: tuple[str, ...], chosen: str, tmp_path: Path
) -> None:
    for name in (*there, "sh", "id"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name} "$@"\n')
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-c", shell.SCRIPT],
        env={"PATH": str(tmp_path), "SHELL": own or "/nothing"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{chosen} -l\n"
