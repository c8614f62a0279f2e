"""Many small files in the workspace: `npm install`, `git checkout`, a build."""

from __future__ import annotations

import os

TITLE = "small files in the workspace"
UNIT = "20 files written, looked at, read and removed"


def prepare(folder: str) -> None:
    """Nothing to prepare."""


def once(folder: str) -> None:
    paths = [os.path.join(folder, f"file-{number}") for number in range(20)]
    for path in paths:
        with open(path, "wb") as file:
            file.write(b"0" * 1024)
    for path in paths:
        os.stat(path)
        with open(path, "rb") as file:
            file.read()
        os.unlink(path)
