"""Whose output is meant where the project's own sandbox is not there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.agents import session
from sandboxd.backends.backend import CommandRequest
from sandboxd.backends.docker.backend import DockerBackend
from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.life import find
from sandboxd.operations import exec as commands
from sandboxd.operations import logs, review


@pytest.mark.parametrize(
    ("name", "beside", "hint"),
    [
        ("", [], "start it: `sandboxd up`"),
        ("", ["claude"], "start it: `sandboxd up`; or name one that is there: `--name claude`"),
        ("two", ["claude"], "start it: `sandboxd up --name two`"),
    ],
)
def test_a_sandbox_of_another_name_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, beside: list[str], hint: str
) -> None:
    monkeypatch.setattr(find, "names_beside", lambda *_: beside)
    engine: Any = SimpleNamespace(containers=lambda *_: [])
    with pytest.raises(EnvironmentFailure) as failed:
        logs.logs(DockerBackend(engine, os.environ), str(tmp_path), print, name=name)
    assert failed.value.hint == hint


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("claude", "sandboxd agent claude"),
        ("docs", "sandboxd agent claude --name docs"),
        ("two", "sandboxd up --name two"),
        ("", "sandboxd up"),
    ],
)
@pytest.mark.parametrize("below", ["", "src"])
@pytest.mark.parametrize("operation", ["logs", "exec", "review"])
def test_a_session_is_started_by_its_agent(
    tmp_path: Path, operation: str, below: str, name: str, command: str
) -> None:
    project = tmp_path / "app"
    (project / ".git").mkdir(parents=True)
    folder = project / below
    folder.mkdir(exist_ok=True)
    for own in ("claude", "docs"):
        made = session.session(os.environ, str(project), "claude", own)
        session.write(os.environ, made, b'profile = "agent"\n')
    engine: Any = SimpleNamespace(containers=lambda *_: [])
    asked: dict[str, Callable[[], object]] = {
        "logs": lambda: logs.logs(DockerBackend(engine, os.environ), str(folder), print, name=name),
        "exec": lambda: commands.begin(
            DockerBackend(engine, os.environ), CommandRequest(["true"], str(folder)), name
        ),
        "review": lambda: review.collect(DockerBackend(engine, os.environ), str(folder), name=name),
    }
    with pytest.raises(SandboxdError) as failed:
        asked[operation]()
    assert failed.value.hint == f"start it: `{command}`"
