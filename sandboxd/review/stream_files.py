"""The files of kept streams: their folder, their sandboxes, and their order.

They are numbered. Their times are those of a clock that may have been set since."""

from __future__ import annotations

import contextlib
import json
import os
from typing import NamedTuple

from sandboxd.host.folders import state_folder
from sandboxd.model.sandbox_id import sandbox_id

SUFFIX = ".changes"
UNFINISHED = ".new"
"""After the name of a stream that is being written."""


class Stream(NamedTuple):
    """A kept file; `written` in seconds since 1970 tells those apart that have no `number`."""

    number: int
    written: float
    path: str
    sandbox: str
    """Its identity."""
    size: int


def folder() -> str:
    """The folder of kept streams, private to this user."""
    return os.path.join(state_folder(os.environ), "changes")


def every() -> list[Stream]:
    """The files that begin with our header, the newest first; others are never removed."""
    streams = []
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder()):
            if entry.name.endswith(SUFFIX):
                with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
                    streams.append(_stream(entry))
    return sorted(streams, reverse=True)


def _stream(entry: os.DirEntry[str]) -> Stream:
    with open(entry.path, "rb") as file:
        header = json.loads(file.readline(65536))
    sandbox = sandbox_id(str(header["workspace"]), str(header.get("name", "")))
    status = entry.stat(follow_symlinks=False)
    number = int(header.get("number", 0))
    return Stream(number, status.st_mtime, entry.path, sandbox, status.st_size)
