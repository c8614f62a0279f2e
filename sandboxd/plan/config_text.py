"""Reads the texts of git's configs: those in a workspace and those of the user."""

from __future__ import annotations

import os
import stat

from sandboxd.errors import SandboxdError
from sandboxd.files import reading
from sandboxd.plan import beneath

_LARGEST = 1 << 20
"""Bytes of a config that are read."""


def inside(workspace: str, path: str) -> str | None:
    """The text of a config at `path` within the workspace, where no link is followed; None if it cannot be read."""
    try:
        with (
            beneath.open_folder(workspace) as root,
            beneath.parent_of(root, path, create=False) as folder,
        ):
            return beneath.read_text(folder, path)
    except (OSError, ValueError, SandboxdError):
        return None


def outside(path: str) -> str | None:
    """The text of a config of the user's; links are followed. None if it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with reading(descriptor) as file:
        return file.read(_LARGEST).decode("utf-8", "surrogateescape")
