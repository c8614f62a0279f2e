"""Decides what to do about a path whose mount was lost, once nothing runs inside any more. Pure.

Until then a program inside could write there, or into the file that the host's program was about to put there, or
rename a folder that it had prepared. Nothing tells the host's bytes from those of the sandbox: both have the same
owner, and the times that nobody can set are no finer than the kernel's tick. So what may come from inside is renamed,
and what only the host could write is restored.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from sandboxd.files import CONFIG_NAME


class Kind(Enum):
    """The kind of file at a path."""

    NOTHING = "nothing"
    FILE = "file"
    FOLDER = "folder"
    OTHER = "other"
    """A link, a socket or a device."""


class Version(NamedTuple):
    """The file or folder at a path, as it was read.

    `data` is the content of a file that was read; None for anything else, and for a file that is too large, cannot be
    read, or may have been changed from inside. `mode` are the permission bits.
    """

    kind: Kind
    data: bytes | None = None
    mode: int = 0o644


class Action(Enum):
    """The treatment of the file or folder that is at a path now."""

    LEFT = "left"
    PUT_BACK = "put back"
    """It is renamed, and a file with the content that was mounted before is written in its place."""
    SET_ASIDE = "set aside"
    """It is renamed."""


def decide(name: str, before: Version | None, now: Version) -> Action:
    """What to do with what is at a path that was writable from inside until all processes there were stopped.

    :param name: the last component of the path
    :param before: what was mounted there, which only the host could write; None where that is not known
    :param now: what is there now
    """
    if now.kind is Kind.NOTHING or before is None:
        return Action.LEFT
    if name == CONFIG_NAME and now.kind is Kind.FILE:
        # Nothing in it counts that weakens the sandbox, unless these very bytes were granted.
        return Action.LEFT
    if before.kind is Kind.FILE and before.data is not None:
        is_same = now.kind is Kind.FILE and now.data == before.data
        return Action.LEFT if is_same else Action.PUT_BACK
    return Action.SET_ASIDE
