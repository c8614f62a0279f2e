"""The files of saved streams: their folder, their sandboxes, and their order.

They are numbered, since their times depend on clocks that may have been set.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import NamedTuple

from sandboxd.folders import state_folder
from sandboxd.model.sandbox_id import sandbox_id

SUFFIX = ".changes"
UNFINISHED = ".new"
"""The suffix of a stream that is still being written."""


class Stream(NamedTuple):
    """A saved file; `written`, in seconds since 1970, orders files without a `number`."""

    number: int
    written: float
    path: str
    sandbox: str
    """The sandbox's identity."""
    size: int


def folder() -> str:
    """The folder of saved streams, which only this user can read."""
    return os.path.join(state_folder(os.environ), "changes")


def every() -> list[Stream]:
    """The files with our header, newest first; other files there are never removed."""
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
