"""The shell of a sandbox: what is asked of the engine."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sandboxd.backends import shell
from sandboxd.backends.backend import CommandRequest
from sandboxd.backends.docker.backend import DockerBackend
from sandboxd.engine.client import Engine
from sandboxd.life import command


@pytest.mark.parametrize("tty", [True, False])
def test_a_shell_reads_what_is_typed_or_piped(tty: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(command, "begin", lambda *call: calls.append(call))
    backend = DockerBackend(cast("Engine", SimpleNamespace()), {})
    backend.begin("/w", "", CommandRequest((), "/w/a", tty=tty, user="dev", env=["A=1"]))
    [(_, _, project, directory, wanted, *_)] = calls
    assert (project, directory) == ("/w", "/w/a")
    assert (wanted.stdin, wanted.tty, wanted.user, wanted.env) == (True, tty, "dev", ["A=1"])
    assert wanted.command[:2] == ("sh", "-c")
    assert subprocess.run(["sh", "-n", "-c", wanted.command[2]], check=False).returncode == 0


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
