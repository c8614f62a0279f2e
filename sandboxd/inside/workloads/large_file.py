"""One large file in the workspace: an archive, a database, a linker's output."""

from __future__ import annotations

import os

TITLE = "a large file in the workspace"
UNIT = "8 MiB written and read"

_BLOCK = bytes(1024 * 1024)


def prepare(folder: str) -> None:
    """Nothing to prepare."""


def once(folder: str) -> None:
    path = os.path.join(folder, "large")
    with open(path, "wb") as file:
        for _ in range(8):
            file.write(_BLOCK)
    with open(path, "rb") as file:
        while file.read(1024 * 1024):
            pass
    os.unlink(path)
