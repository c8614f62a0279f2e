"""Which files of a folder of real projects a benchmark reads: the same ones for every tool."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from sandboxd import formats
from sandboxd.errors import UnreadableError
from sandboxd.files import read_source

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "corpus"


class Files(NamedTuple):
    """Paths of the files of some projects by what they are."""

    projects: int
    devcontainers: list[str]
    compose: list[str]
    dockerfiles: list[str]

    def all(self) -> list[str]:
        return [*self.devcontainers, *self.compose, *self.dockerfiles]


def choose(folder: Path = FOLDER, most: int = 100) -> Files:
    """The first `most` projects that have a config, with their Compose files and Dockerfiles."""
    selection = Files(0, [], [], [])
    for project in sorted(path for path in folder.iterdir() if path.is_dir()):
        by_kind = _files(project)
        if not by_kind["devcontainer"]:
            continue
        selection.devcontainers.extend(by_kind["devcontainer"])
        selection.compose.extend(by_kind["compose"])
        selection.dockerfiles.extend(by_kind["dockerfile"])
        selection = selection._replace(projects=selection.projects + 1)
        if selection.projects == most:
            break
    return selection


def _files(project: Path) -> dict[str, list[str]]:
    by_kind: dict[str, list[str]] = {"devcontainer": [], "compose": [], "dockerfile": []}
    for path in sorted(project.rglob("*")):
        kind = formats.find(str(path)) if path.is_file() and not path.is_symlink() else None
        if kind is None or kind.NAME not in by_kind:
            continue
        try:
            read_source(str(path))
        except UnreadableError:
            continue
        by_kind[kind.NAME].append(str(path))
    return by_kind
