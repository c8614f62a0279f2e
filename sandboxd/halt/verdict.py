"""What is done about a path whose mount went, once nothing runs inside any more: pure.

Until then a program inside could write there, and before it into the file that the host's program was about to
put there, or rename a folder that it had ready. No trace tells the host's bytes from those: the same user writes
both, and the times that nobody can set are no finer than the kernel's tick. So what may be from inside is put
aside, and what the host alone could write comes back."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from sandboxd.files import CONFIG_NAME


class Kind(Enum):
    """What is at a path."""

    NOTHING = "nothing"
    FILE = "file"
    FOLDER = "folder"
    OTHER = "other"
    """A link, a socket or a device."""


class Version(NamedTuple):
    """What is at a path; `data` is a file's content where that was read, else None."""

    kind: Kind
    data: bytes | None = None
    mode: int = 0o644


class Action(Enum):
    """What happens to what is at the path now."""

    LEFT = "left"
    PUT_BACK = "put back"
    """It is put aside, and what was mounted before is there again."""
    SET_ASIDE = "set aside"


def decide(name: str, before: Version | None, now: Version) -> Action:
    """What to do with what is at a path that was open until nothing ran inside any more.

    :param name: of the path, without its folder
    :param before: what was mounted there, which the host alone could write; None where nobody watched
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
