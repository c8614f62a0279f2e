"""The project that a folder belongs to."""

from __future__ import annotations

import os

from sandboxd.config.reading import nearest
from sandboxd.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandboxd.engine.client import Summary


def project_folder(path: str) -> str:
    """The folder of the nearest `sandboxd.toml`, else `path` itself.

    :param path: absolute
    :raises UsageError: it is no folder
    """
    if not os.path.isdir(path):
        raise UsageError(f"`{path}` is not a folder", "name the project's folder")
    config = nearest(path)
    return os.path.dirname(config) if config else path


def working_dir(directory: str, sandbox: Summary, own: str = "") -> str:
    """The folder inside that stands for `directory`, where a caller is.

    :param directory: absolute
    :param own: the folder of commands by the project's config; '' for where the workspace is
    """
    from sandboxd.model.labels import PROJECT
    from sandboxd.model.sandbox_id import workspace_of
    from sandboxd.plan.mounts import target_folder

    workspace = workspace_of(sandbox.labels[PROJECT])
    own = own or target_folder(workspace)
    below = os.path.relpath(os.path.realpath(directory), os.path.realpath(workspace))
    return own if below == "." or below.startswith("..") else os.path.join(own, below)
