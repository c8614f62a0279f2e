"""Opens the project of a sandbox that exists."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.agents.session import recall
from sandboxd.config.model import Config
from sandboxd.config.reading import nearest
from sandboxd.errors import NoFolder
from sandboxd.model.sandbox_id import name_of, workspace_of
from sandboxd.project import Project
from sandboxd.project.config_file import read_config

if TYPE_CHECKING:
    from collections.abc import Mapping


def of_sandbox(sandbox: str, environ: Mapping[str, str]) -> Project:
    """The project of a sandbox, with its config as it is now.

    Its own folder alone counts, as that is what it was started for: a sandboxd.toml above it, or in the folder to which
    a link in its place leads, is of another project, with grants and answers of its own.

    :param sandbox: the sandbox's identity
    :raises NoFolder: its folder is not there, or a link is in its place
    :raises UsageError: its sandboxd.toml is not valid
    """
    folder, name = workspace_of(sandbox), name_of(sandbox)
    if not os.path.isdir(folder):
        raise NoFolder(f"there is no folder `{folder}`", "move it back")
    if os.path.realpath(folder) != folder:
        raise NoFolder(f"a link is in the place of the folder `{folder}`", "move it back")
    own = recall(environ, folder, name) if name else None
    path = own.config_path if own is not None else nearest(folder)
    is_its_own = path is not None and (own is not None or os.path.dirname(path) == folder)
    config = read_config(path, folder) if path is not None and is_its_own else Config(None, folder)
    return Project(folder, config, environ, name, own)
