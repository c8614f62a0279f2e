"""The usual paths of a project's dev container configs, which are found without a search."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.files import CONFIG_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_FILES = 64


def config_files(workspace: str) -> Iterator[str]:
    """The paths of the existing config files at the places where tools look for them."""
    folder = os.path.join(workspace, ".devcontainer")
    candidates = [
        os.path.join(workspace, CONFIG_NAME),
        os.path.join(workspace, ".devcontainer.json"),
        os.path.join(folder, "devcontainer.json"),
    ]
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e, _ in zip(entries, range(_MOST_FILES), strict=False)]
    except OSError:
        names = []
    candidates += [os.path.join(folder, name, "devcontainer.json") for name in sorted(names)]
    return (path for path in candidates if os.path.isfile(path))
