"""Writes reflog lines, so that `git reflog` shows what an exchange moved."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from sandboxd.exchange import copying

if TYPE_CHECKING:
    from sandboxd.exchange.copying import Owner

_WHO = "sandboxd <sandboxd@localhost>"


def zero(sha256: bool) -> str:
    """The all-zero object id, which stands for no object."""
    return "0" * (64 if sha256 else 40)


def append(root: int, path: str, old: str, new: str, message: str, owner: Owner) -> None:
    """Append an entry to the reflog `path` below the open git directory `root`; it is made if missing, no link is
    followed.

    :param old: the full object id before, as `zero` for a new ref
    :param new: the full object id now
    :raises OSError: it cannot be written
    :raises UsageError: a link is on the way
    """
    line = os.fsencode(f"{old} {new} {_WHO} {int(time.time())} +0000\t{message}\n")
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with copying.open_parent(root, path, owner) as folder:
        descriptor = os.open(os.path.basename(path), flags, 0o644, dir_fd=folder)
        with os.fdopen(descriptor, "ab") as file:
            if owner.uid != -1:
                os.fchown(descriptor, owner.uid, owner.gid)
            file.write(line)
