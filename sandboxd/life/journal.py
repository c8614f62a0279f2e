"""The placeholder files and folders of a workspace: named in a label of its container, and in a file until then.

A process that is killed in the middle of a start or an end leaves empty files and folders in the workspace that nothing
else identifies as ours: the next start takes them over, the next end removes them.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sandboxd.folders import state_folder, workspace_file
from sandboxd.model.labels import STUBS
from sandboxd.plan import stubs
from sandboxd.state import stand_ins

if TYPE_CHECKING:
    from sandboxd.engine.client import Summary

_LARGEST = 1 << 20


def noted(workspace: str) -> tuple[str, ...]:
    """The placeholders of an unfinished start or end, relative to the workspace; () for none.

    To be called under the project's lock.

    :param workspace: the sandbox's identity
    """
    try:
        with open(_path(workspace), "rb") as file:
            paths = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return ()
    if not isinstance(paths, list):
        return ()
    return tuple(path for path in paths if isinstance(path, str) and stubs.may_be(path))


def note(workspace: str, paths: Iterable[str]) -> None:
    """Write down placeholders before they are created, or before the container whose label names them is removed.

    Errors are ignored, and the start goes on. The file is not synced to disk: it survives the death of the process, but
    not necessarily that of the machine.

    :param paths: relative to the workspace; without any, the note is removed
    """
    if not (names := sorted(set(paths))):
        clear(workspace)
        return
    path = _path(workspace)
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with open(os.open(f"{path}.new", flags, 0o600), "w", encoding="ascii") as file:
            json.dump(names, file)
        os.replace(f"{path}.new", path)


def clear(workspace: str) -> None:
    """Remove the note: the start or end is finished, or a container's label names the paths."""
    with contextlib.suppress(OSError):
        os.unlink(_path(workspace))


def absent(workspace: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Those of `paths`, relative to `workspace` (its real path), that do not exist."""
    return tuple(path for path in paths if not os.path.lexists(os.path.join(workspace, path)))


def on_label(container: Summary) -> tuple[str, ...]:
    """The placeholders that a container's label names; paths that can be no placeholder are dropped, as anybody can set
    it.
    """
    noted = container.labels.get(STUBS, "").split(":")
    return tuple(sorted(path for path in noted if stubs.may_be(path)))


def with_files(workspace: str) -> tuple[str, ...]:
    """The placeholders made for generated files, which no longer exist; they are removed from the user's record of
    these.
    """
    paths = stand_ins.noted(os.environ, workspace)
    stand_ins.forget(os.environ, workspace)
    return tuple(path for path in paths if stubs.may_be(path))


def _path(workspace: str) -> str:
    folder = os.path.join(state_folder(os.environ), "unfinished")
    return workspace_file(folder, workspace, ".json")
