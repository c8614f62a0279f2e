"""The modification times of a workspace's files, recorded before a private copy is made of them.

Copy and review may be a week apart, and a clock may be set in between. So times are only compared for equality: if a
file's time differs from the recorded one, the host changed the file.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
from collections.abc import Mapping
from typing import NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.files import write_atomic
from sandboxd.folders import state_folder, workspace_file

MOST = 200_000
"""The most paths of a workspace to record; of a larger one nothing is recorded."""
_MOST_BYTES = 256 << 20


class Times(NamedTuple):
    """The ctime (`changed`) and mtime (`written`) of a file, in nanoseconds since 1970."""

    changed: int
    written: int


def survey(workspace: str) -> dict[str, Times] | None:
    """The times of every path in `workspace`, except inside `.git` folders; None if there are too many."""
    times: dict[str, Times] = {}
    folders = [""]
    while folders:
        folder = folders.pop()
        with contextlib.suppress(OSError), os.scandir(os.path.join(workspace, folder)) as entries:
            for entry in entries:
                if len(times) == MOST:
                    return None
                path = f"{folder}/{entry.name}" if folder else entry.name
                with contextlib.suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    times[path] = Times(status.st_ctime_ns, status.st_mtime_ns)
                    if entry.is_dir(follow_symlinks=False) and entry.name != ".git":
                        folders.append(path)
    return times


def note(sandbox: str, copy: str, workspace: str) -> None:
    """Record the times of `workspace`, just before a copy is made of it.

    If they cannot be recorded, the clock decides later what the host changed since.

    :param sandbox: the sandbox's identity
    :param copy: a text that identifies this copy among those of the sandbox
    """
    record = {"copy": copy, "times": survey(workspace)}
    path = _path(sandbox)
    with contextlib.suppress(OSError, SandboxdError):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write_atomic(path, gzip.compress(json.dumps(record).encode(), 1), 0o600)


def recall(sandbox: str, copy: str) -> Mapping[str, Times] | None:
    """The times that were recorded for `copy`; None if none were."""
    try:
        with gzip.open(_path(sandbox)) as file:
            record = json.loads(file.read(_MOST_BYTES))
        if record["copy"] != copy or record["times"] is None:
            return None
        return {str(path): Times(*map(int, pair)) for path, pair in record["times"].items()}
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError):
        return None


def forget(sandbox: str) -> None:
    """Remove the recorded times of a sandbox whose copy was removed."""
    with contextlib.suppress(OSError):
        os.unlink(_path(sandbox))


def _path(sandbox: str) -> str:
    return workspace_file(os.path.join(state_folder(os.environ), "copies"), sandbox, ".times")
