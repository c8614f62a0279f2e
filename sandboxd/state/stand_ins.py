"""Stores which placeholders were made in a workspace for its generated files; they are removed with the last of
these.

Placeholders that a start makes are stored in a label of its container instead.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping

from sandboxd.errors import SandboxdError
from sandboxd.files import write_private
from sandboxd.folders import state_folder, workspace_file

_LARGEST = 1 << 20


def note(environ: Mapping[str, str], workspace: str, paths: Iterable[str]) -> None:
    """Store `paths` beside those stored before. If that fails, they stay like any file of the user's.

    :param paths: relative to the workspace
    """
    every = sorted({*noted(environ, workspace), *paths})
    path = _path(environ, workspace)
    with contextlib.suppress(OSError, SandboxdError):
        write_private(path, json.dumps(every).encode("ascii"))


def noted(environ: Mapping[str, str], workspace: str) -> tuple[str, ...]:
    """The stored paths, relative to the workspace; () for none."""
    try:
        with open(_path(environ, workspace), "rb") as file:
            paths = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return ()
    if not isinstance(paths, list):
        return ()
    return tuple(path for path in paths if isinstance(path, str))


def forget(environ: Mapping[str, str], workspace: str) -> None:
    """Remove the stored paths, after the placeholders were removed."""
    with contextlib.suppress(OSError):
        os.unlink(_path(environ, workspace))


def _path(environ: Mapping[str, str], workspace: str) -> str:
    return workspace_file(os.path.join(state_folder(environ), "stand-ins"), workspace, ".json")
