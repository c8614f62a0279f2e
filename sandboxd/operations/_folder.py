"""The project that a folder belongs to."""

from __future__ import annotations

import os

from sandboxd.config.reading import nearest
from sandboxd.errors import UsageError


def project_folder(path: str) -> str:
    """The nearest folder, from `path` upwards, that has a `sandboxd.toml`; `path` itself if there is none.

    :param path: an absolute path
    :raises UsageError: it is not a folder
    """
    if not os.path.isdir(path):
        raise UsageError(f"`{path}` is not a folder", "name the project's folder")
    config = nearest(path)
    return os.path.dirname(config) if config else path
