"""What a config gives to commands in its sandbox is remembered for that very container."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.life import exec_settings
from sandboxd.life.exec_settings import NOTHING, Settings

GIVEN = Settings(("A=1", "B=x=y"), "/workspaces/w/app", ("C=2",), "then")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path)}


def test_settings_of_exec_are_of_one_container_and_go_with_the_next_start(
    environ: dict[str, str],
) -> None:
    assert exec_settings.recall(environ, "/w", "one") == NOTHING
    exec_settings.keep(environ, "/w", "one", GIVEN)
    assert exec_settings.recall(environ, "/w", "one") == GIVEN
    assert exec_settings.recall(environ, "/w", "two") == NOTHING
    path = next(Path(environ["XDG_STATE_HOME"]).rglob("*.json"))
    assert path.stat().st_mode & 0o777 == 0o600
    exec_settings.keep(environ, "/w", "one", NOTHING)
    assert not path.exists()
    exec_settings.keep(environ, "/w", "one", NOTHING)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"workspace": "/w", "container": "one"}'])
def test_a_file_that_is_none_gives_nothing(environ: dict[str, str], text: str) -> None:
    exec_settings.keep(environ, "/w", "one", GIVEN)
    next(Path(environ["XDG_STATE_HOME"]).rglob("*.json")).write_text(text)
    assert exec_settings.recall(environ, "/w", "one") == NOTHING
