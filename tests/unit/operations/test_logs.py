"""Whose output is meant where the project's own sandbox is not there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.life import find
from sandboxd.operations import logs


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
        logs.logs(engine, str(tmp_path), name=name)
    assert failed.value.hint == hint
