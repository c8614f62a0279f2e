"""The folders for this user's files: the cache, which may be deleted, and the state, which may not."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def cache_folder(environ: Mapping[str, str]) -> str | None:
    """The folder for files that may be deleted at any time; None for a user without a home."""
    folder = environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(folder):
        home = environ.get("HOME", "")
        if not os.path.isabs(home):
            return None
        folder = os.path.join(home, ".cache")
    return os.path.join(folder, "sandboxd")


def state_folder(environ: Mapping[str, str]) -> str:
    """The folder for files that must persist: $XDG_STATE_HOME/sandboxd, else ~/.local/state/sandboxd."""
    base = environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):
        home = environ.get("HOME") or os.path.expanduser("~")
        base = os.path.join(home, ".local", "state")
    return os.path.join(base, "sandboxd")


def workspace_file(folder: str, workspace: str, ending: str) -> str:
    """The path of the file in `folder` for the workspace or sandbox `workspace`; nothing is made.

    :param ending: the ending of the file's name, such as ``.json``
    """
    # `exec` asks for a folder here, and does without slow imports.
    import hashlib

    name = hashlib.sha256(os.fsencode(workspace)).hexdigest()[:16]
    return os.path.join(folder, name + ending)
