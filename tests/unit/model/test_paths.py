"""Paths are compared part by part, never letter by letter."""

from __future__ import annotations

import pytest

from sandboxd.model.paths import lies_in, overlap


@pytest.mark.parametrize(
    ("path", "folder", "lies"),
    [
        ("/w/a", "/w", True),
        ("/w", "/w", True),
        ("/w/a", "/w/", True),
        ("/w/a", "/", True),
        ("/", "/", True),
        ("/work", "/w", False),
        ("/w", "/w/a", False),
        (".git/hooks", ".git", True),
        (".gitignore", ".git", False),
    ],
)
def test_a_path_lies_in_a_folder(path: str, folder: str, *, lies: bool) -> None:
    assert lies_in(path, folder) == lies


def test_folders_overlap_in_either_order() -> None:
    assert overlap("/w/a", "/w") and overlap("/w", "/w/a") and overlap("/w", "/w")
    assert not overlap("/w/a", "/w/ab")
