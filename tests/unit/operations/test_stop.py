"""The command that takes up the copy of a sandbox again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from sandboxd.agents import session
from sandboxd.backends.docker.backend import DockerBackend
from sandboxd.life import egress, find, lasting, lost_at_end, running_gateway, up_down
from sandboxd.model.labels import MADE_BY, PROJECT, UP
from sandboxd.model.sandbox_id import sandbox_id
from sandboxd.operations.stop import stop
from sandboxd.state import failed_command


class Container:
    """A container of `up`, for a sandbox."""

    id = "a"
    name = "weather"

    def __init__(self, sandbox: str) -> None:
        self.labels = {PROJECT: sandbox, MADE_BY: UP}


@pytest.mark.parametrize(
    ("name", "agent", "lines"),
    [
        ("", "", ["`sandboxd up` takes it up", "`sandboxd up --fresh` begins"]),
        (
            "two",
            "",
            ["`sandboxd up --name two` takes it up", "`sandboxd up --name two --fresh` begins"],
        ),
        (
            "claude",
            "claude",
            [
                "`sandboxd agent claude` takes it up",
                "`sandboxd down --name claude --discard` throws it away",
            ],
        ),
        (
            "docs",
            "claude",
            [
                "`sandboxd agent claude --name docs` takes it up",
                "`sandboxd down --name docs --discard` throws it away",
            ],
        ),
    ],
)
def test_a_copy_that_stays_is_taken_up_by_what_made_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, agent: str, lines: list[str]
) -> None:
    project = tmp_path / "app"
    project.mkdir()
    workspace = os.path.realpath(project)
    environ = {"HOME": str(tmp_path / "home"), "XDG_STATE_HOME": str(tmp_path / "state")}
    if agent:
        own = session.session(environ, workspace, agent, name)
        session.write(environ, own, b'profile = "agent"\n')
    container: Any = Container(sandbox_id(workspace, name))
    monkeypatch.setattr(find, "project_containers", lambda *_: [container])
    monkeypatch.setattr(running_gateway, "gateway_of", lambda *_: None)
    monkeypatch.setattr(up_down, "sandboxes_of_up", lambda *_: [container])
    monkeypatch.setattr(up_down, "sandboxes_of", lambda *_: [])
    monkeypatch.setattr(up_down, "end", lambda *_: None)
    monkeypatch.setattr(up_down.git_left, "could_write", lambda *_: False)
    monkeypatch.setattr(egress, "leave", lambda *_, **__: None)
    monkeypatch.setattr(lasting, "has_copy", lambda *_: True)
    monkeypatch.setattr(lost_at_end, "sentence_of", lambda *_: "what is gone")
    told: list[str] = []
    engine: Any = None
    stop(
        DockerBackend(engine, environ),
        workspace,
        environ,
        name=name,
        progress=lambda step: told.append(step.text),
    )
    assert told[0] == "what is gone"
    assert [line in text for line, text in zip(lines, told[1:], strict=True)] == [True, True]


def test_what_a_command_printed_is_not_kept_longer_than_its_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "app"
    project.mkdir()
    environ = {"HOME": str(tmp_path / "home"), "XDG_STATE_HOME": str(tmp_path / "state")}
    monkeypatch.setenv("XDG_STATE_HOME", environ["XDG_STATE_HOME"])
    monkeypatch.setattr(find, "project_containers", lambda *_: [])
    monkeypatch.setattr(running_gateway, "gateway_of", lambda *_: None)
    monkeypatch.setattr(up_down, "sandboxes_of_up", lambda *_: [])
    monkeypatch.setattr(up_down, "sandboxes_of", lambda *_: [])
    monkeypatch.setattr(egress, "leave", lambda *_, **__: None)
    monkeypatch.setattr(lasting, "has_copy", lambda *_: False)
    ended, other = (sandbox_id(os.path.realpath(project), name) for name in ("", "other"))
    for sandbox in (ended, other):
        failed = failed_command.FailedCommand(sandbox, str(project), ("login",), 1, "TOKEN=x", 1, 2)
        failed_command.keep(environ, failed)
    engine: Any = object()
    stop(DockerBackend(engine, environ), str(project), environ)
    assert failed_command.recall(environ, ended) is None
    assert failed_command.recall(environ, other) is not None
