"""Which folders of a tree are not entered, and that others of similar names are."""

from __future__ import annotations

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
