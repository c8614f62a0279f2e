"""Walking a tree of the workspace: `git status`, a linter, an editor's search."""

from __future__ import annotations

import os

TITLE = "walking the workspace"
UNIT = "200 files in 20 folders, listed and looked at"


def prepare(folder: str) -> None:
    for number in range(20):
        inner = os.path.join(folder, f"folder-{number}")
        os.mkdir(inner)
        for other in range(10):
            with open(os.path.join(inner, f"file-{other}"), "wb") as file:
                file.write(b"0")


def once(folder: str) -> None:
    for base, _, names in os.walk(folder):
        for name in names:
            os.stat(os.path.join(base, name))
