"""Folders with many files that tools make and can make again, such as `node_modules`."""

from __future__ import annotations

from typing import Literal, NamedTuple

State = Literal["missing", "empty", "content", "in the way"]

_GRADLE = ("build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts")

KNOWN: dict[str, tuple[str, ...]] = {
    "node_modules": ("package.json",),
    ".venv": ("pyproject.toml", "requirements.txt", "setup.py", "Pipfile"),
    "target": ("Cargo.toml", "pom.xml"),
    ".gradle": _GRADLE,
    "build": _GRADLE,
}
"""Names of folders that tools make, each with files beside it; one of these shows that a tool made the folder."""


class Tree(NamedTuple):
    """A folder below the workspace, as it is on the host.

    `marker` is the file that shows which tool makes it; '' if the project asked for the folder. The state ``in the
    way`` means that a symbolic link or a file is at its place, or the folder above it does not exist.
    """

    path: str
    state: State
    marker: str = ""
