"""The project that a folder belongs to."""

from __future__ import annotations

import os

from sandboxd.config.reading import nearest
from sandboxd.errors import UsageError


def project_folder(path: str) -> str:
    """The folder of the nearest `sandboxd.toml`, else `path` itself.

    :param path: absolute
    :raises UsageError: it is no folder
    """
    if not os.path.isdir(path):
        raise UsageError(f"`{path}` is not a folder", "name the project's folder")
    config = nearest(path)
    return os.path.dirname(config) if config else path
