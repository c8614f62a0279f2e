"""The data that ships with sandboxd, as files of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd import data


def test_the_tables_of_a_folder_are_its_toml_files_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (("b.toml", "n = 2"), ("a.toml", "n = 1"), ("notes.md", "no table")):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(data, "data_path", lambda *parts: str(tmp_path.joinpath(*parts)))
    assert list(data.tables()) == [{"n": 1}, {"n": 2}]


def test_a_folder_that_does_not_ship_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        list(data.tables("profiles", "none-of-this-name"))
