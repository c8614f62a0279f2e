"""Selects the sandbox on a cluster that a command works with."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.backends.kubernetes import api
from sandboxd.backends.kubernetes.target import Target
from sandboxd.operations._folder import project_folder

if TYPE_CHECKING:
    from collections.abc import Mapping


def target(on: str, directory: str, name: str, environ: Mapping[str, str]) -> Target:
    """The sandbox `name` of the project that `directory` lies in, on the cluster of the context `on`.

    :raises SandboxdError: there is no such context, or `directory` is not a folder
    """
    workspace = os.path.realpath(project_folder(directory))
    return Target(api.connect(on, environ), environ, directory, workspace, name)
