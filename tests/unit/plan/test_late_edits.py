"""What somebody writes while a generated file is written is not lost: on a busy disk that takes a while."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sandboxd.errors import UsageError
from sandboxd.plan.generate import MAIN_FILE, is_edited
from sandboxd.project import Project
from tests.unit.plan.examples import GVISOR


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """The generated file of a project whose config has changed since."""
    (tmp_path / "sandboxd.toml").write_text('image = "img:1"\n')
    generate(tmp_path)
    (tmp_path / "sandboxd.toml").write_text('image = "other"\n')
    return tmp_path / MAIN_FILE


def generate(root: Path) -> dict[str, str]:
    """The copies that were made, by the file."""
    written = Project.open(str(root), {}).generate(GVISOR)
    return {item.path: item.copy for item in written if item.copy}


@pytest.fixture
def meanwhile(main: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a text in the place of the file while the new one goes to the disk."""

    def put(text: str) -> None:
        sync = os.fsync

        def slow(descriptor: int) -> None:
            sync(descriptor)
            new = main.with_name("mine")
            new.write_text(text)
            new.rename(main)

        monkeypatch.setattr(os, "fsync", slow)

    return put


def test_an_edit_is_kept_beside(main: Path, meanwhile: Callable[[str], None]) -> None:
    root, mine = main.parents[1], f"{main.read_text()}// mine\n"
    meanwhile(mine)
    copies = generate(root)
    assert (root / copies[MAIN_FILE]).read_text() == mine
    assert not is_edited(main.read_text()) and '"other"' in main.read_text()


def test_a_hand_written_file_stays(main: Path, meanwhile: Callable[[str], None]) -> None:
    meanwhile("{}")
    with pytest.raises(UsageError, match="written by hand just now"):
        generate(main.parents[1])
    assert main.read_text() == "{}"
    assert sorted(path.name for path in main.parent.iterdir() if path.is_file()) == [main.name]


def test_what_is_the_same_is_no_edit(main: Path, meanwhile: Callable[[str], None]) -> None:
    meanwhile(main.read_text())
    assert generate(main.parents[1]) == {}
