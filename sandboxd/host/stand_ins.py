"""The stand-ins made in a workspace for its generated files: removed once no generated file is left.

Stand-ins of a start are noted on its container; these have none."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping

from sandboxd.errors import SandboxdError
from sandboxd.files import write_private
from sandboxd.host.folders import state_folder, workspace_file

_LARGEST = 1 << 20


def note(environ: Mapping[str, str], workspace: str, paths: Iterable[str]) -> None:
    """Note `paths` beside those noted before. If that cannot be written, they stay like any file of the user's."""
    every = sorted({*noted(environ, workspace), *paths})
    path = _path(environ, workspace)
    with contextlib.suppress(OSError, SandboxdError):
        write_private(path, json.dumps(every).encode("ascii"))


def noted(environ: Mapping[str, str], workspace: str) -> tuple[str, ...]:
    """The noted paths, relative to the workspace, as they stand in the file; () for none."""
    try:
        with open(_path(environ, workspace), "rb") as file:
            paths = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return ()
    if not isinstance(paths, list):
        return ()
    return tuple(path for path in paths if isinstance(path, str))


def forget(environ: Mapping[str, str], workspace: str) -> None:
    """Remove the note: the stand-ins were removed."""
    with contextlib.suppress(OSError):
        os.unlink(_path(environ, workspace))


def _path(environ: Mapping[str, str], workspace: str) -> str:
    return workspace_file(os.path.join(state_folder(environ), "stand-ins"), workspace, ".json")
