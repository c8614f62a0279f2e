"""Which sandbox is meant where the project's own is not there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.engine.interruption import never, silent
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.life import find
from sandboxd.operations import restart, start


def asked_for(folder: Path, name: str) -> Any:
    """A request to restart the sandbox `name` of the project in `folder`, of which no container is there."""
    engine = SimpleNamespace(containers=lambda *_: [])
    return SimpleNamespace(
        engine=engine, directory=str(folder), environ={}, name=name, progress=silent, cancel=never()
    )


def test_a_sandbox_of_another_name_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "names_beside", lambda *_: ["claude"])
    with pytest.raises(EnvironmentFailure, match="has no sandbox without a name") as failed:
        restart.serve(asked_for(tmp_path, ""))
    assert (
        failed.value.hint == "start it: `sandboxd up`; or name one that is there: `--name claude`"
    )


@pytest.mark.parametrize(("name", "beside"), [("", []), ("two", ["claude"])])
def test_what_is_not_there_and_is_meant_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, beside: list[str]
) -> None:
    monkeypatch.setattr(find, "names_beside", lambda *_: beside)
    monkeypatch.setattr(start, "serve", lambda request: f"started {request.name}")
    assert restart.serve(asked_for(tmp_path, name)) == f"started {name}"


def test_what_could_not_be_started_again_is_not_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sandboxd.toml").write_text("profile = 3\n")
    monkeypatch.setattr(restart, "halt", lambda *_: pytest.fail("it was stopped"))
    with pytest.raises(UsageError, match="profile"):
        restart.serve(asked_for(tmp_path, "two"))
