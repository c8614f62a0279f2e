"""The marks: two files with number and hash of the record's last entry, one in the record's folder and one above it.

So a cut file or a removed folder is detected: the next entry says so, and its number follows the highest that was ever
given.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import NamedTuple

from sandboxd.errors import UnreadableError
from sandboxd.files import read_bytes

_HEAD, _ANCHOR = "head.json", "audit-head.json"
_LARGEST = 1000
_HIGHEST = 10**9 - 1
"""More numbers than names of files can hold; a mark with a higher one is none."""


class Head(NamedTuple):
    """Number and hash of the entry that was written last."""

    number: int
    digest: str


class Marks(NamedTuple):
    """The two marks: `head` in the record's folder, `anchor` in the folder above; None for one that cannot be read."""

    head: Head | None = None
    anchor: Head | None = None

    def newest(self) -> Head | None:
        """The mark with the higher number; None if there is none."""
        return max((mark for mark in self if mark is not None), default=None)


def load(folder: str) -> Marks:
    """The marks of the record in `folder`."""
    return Marks(*map(_read, _paths(folder)))


def save(folder: str, head: Head) -> None:
    """Write both marks. A failure is no error: an older mark only means that the entries after it are not protected."""
    for path in _paths(folder):
        with contextlib.suppress(OSError):
            _write(path, head)


def begin(folder: str, head: Head) -> None:
    """Write the marks of a record's first entry: without a mark it could not be told from the rest of a cut record.

    :raises OSError: one cannot be written
    """
    for path in _paths(folder):
        _write(path, head)


def _paths(folder: str) -> tuple[str, str]:
    return os.path.join(folder, _HEAD), os.path.join(os.path.dirname(folder), _ANCHOR)


def _read(path: str) -> Head | None:
    try:
        fields = json.loads(read_bytes(path, _LARGEST))
        head = Head(int(fields["number"]), str(fields["digest"]))
    except (UnreadableError, ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return None
    return head if 0 < head.number <= _HIGHEST else None


def _write(path: str, head: Head) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    with open(os.open(f"{path}.new", flags, 0o600), "w", encoding="ascii") as file:
        json.dump(head._asdict(), file)
    os.replace(f"{path}.new", path)
