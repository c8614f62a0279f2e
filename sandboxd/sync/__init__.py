"""Keeps a copy of the workspace identical to the host's, file by file and by a policy. The side inside is hostile."""

from __future__ import annotations

import os

from sandboxd.folders import state_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def folder(environ: Mapping[str, str]) -> str:
    """The folder on the host with what is remembered of all kept copies; it need not exist."""
    return os.path.join(state_folder(environ), "synced")


def is_used(environ: Mapping[str, str]) -> bool:
    """Whether any sandbox of the user has ever had a kept copy; `exec` asks this, so nothing slow is imported."""
    return os.path.isdir(folder(environ))
