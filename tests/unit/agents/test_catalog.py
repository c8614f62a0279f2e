"""Agents of the user's own: files that nobody else can write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.agents import catalog, shipped
from sandboxd.errors import UsageError


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}


@pytest.fixture
def file(environ: dict[str, str]) -> Path:
    path = Path(catalog.own_folder(environ)) / "mine.toml"
    path.parent.mkdir(parents=True)
    text = Path(shipped.path(shipped.names()[0])).read_text()
    path.write_text(text.partition("[host]")[0])
    path.chmod(0o600)
    return path


def test_a_file_of_the_users_own_is_an_agent(environ: dict[str, str], file: Path) -> None:
    assert catalog.load("mine", environ).name == "mine"
    assert "mine" in catalog.names(environ)


def test_what_only_a_shipped_file_may_say_is_refused(environ: dict[str, str], file: Path) -> None:
    with file.open("a") as text:
        text.write('[host]\nproject = [".mine"]\n')
    with pytest.raises(UsageError, match="`host` has no effect in a file of your own: take it out"):
        catalog.load("mine", environ)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_one_that_others_can_write_is_refused(
    environ: dict[str, str], file: Path, mode: int
) -> None:
    file.chmod(mode)
    with pytest.raises(UsageError, match="can be written by others"):
        catalog.load("mine", environ)


def test_one_of_another_user_is_refused(
    environ: dict[str, str], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
    with pytest.raises(UsageError, match="can be written by others"):
        catalog.load("mine", environ)
