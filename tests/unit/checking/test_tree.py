"""Which folders of a tree are not entered, and that others of similar names are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.checking import tree

NOT_ENTERED = [
    ".git", ".hg", ".svn", "node_modules", ".venv", "venv", "__pycache__", ".tox", ".mypy_cache",
]  # fmt: skip


@pytest.mark.parametrize("name", [*NOT_ENTERED, "src", ".github", "toxic"])
def test_folders_of_tools_are_not_entered(tmp_path: Path, name: str) -> None:
    config = tmp_path / name / "devcontainer.json"
    config.parent.mkdir()
    config.write_text("{}")
    files = tree.find([str(tmp_path)]).files
    assert files == (() if name in NOT_ENTERED else (str(config),))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("apiVersion: v1\nkind: Pod\n", True),
        ("services:\n  web:\n    image: nginx\n", True),
        ("site_name: docs\n", False),
        ("\x00\xff", False),
    ],
)
def test_a_yaml_file_of_any_name_is_looked_into(tmp_path: Path, text: str, wanted: bool) -> None:
    path = tmp_path / "anything.yaml"
    path.write_text(text, encoding="latin-1")
    assert tree.find([str(tmp_path)]).files == ((str(path),) if wanted else ())


def test_a_yaml_file_that_cannot_be_read_is_none_of_ours(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert tree.find([str(tmp_path)]) == ((), (), ())
