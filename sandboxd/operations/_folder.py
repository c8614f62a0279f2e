"""The project that a folder belongs to."""

from __future__ import annotations

import os

from sandboxd.config.reading import nearest
from sandboxd.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandboxd.engine.client import Summary


def project_folder(path: str) -> str:
    """The nearest folder, from `path` upwards, that has a `sandboxd.toml`; `path` itself if there is none.

    :param path: an absolute path
    :raises UsageError: it is not a folder
    """
    if not os.path.isdir(path):
        raise UsageError(f"`{path}` is not a folder", "name the project's folder")
    config = nearest(path)
    return os.path.dirname(config) if config else path


def working_dir(directory: str, sandbox: Summary, own: str = "") -> str:
    """The folder inside the sandbox that corresponds to `directory` on the host.

    For a folder outside of the workspace it is the sandbox's own working folder.

    :param directory: the caller's working directory, absolute
    :param own: the folder inside for commands, as the project's config names it; '' for the workspace's
    """
    from sandboxd.model.labels import PROJECT
    from sandboxd.model.sandbox_id import workspace_of
    from sandboxd.plan.mounts import folder_inside

    return folder_inside(directory, workspace_of(sandbox.labels[PROJECT]), own)
