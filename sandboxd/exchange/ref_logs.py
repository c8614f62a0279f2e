"""Lines in the logs of refs and HEAD, by which `git reflog` shows what an exchange moved."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from sandboxd.exchange import copying

if TYPE_CHECKING:
    from sandboxd.exchange.copying import Owner

_WHO = "sandboxd <sandboxd@localhost>"


def zero(sha256: bool) -> str:
    """The id that stands for none."""
    return "0" * (64 if sha256 else 40)


def append(root: int, path: str, old: str, new: str, message: str, owner: Owner) -> None:
    """Note a move in the log `path` below the git directory `root`, made if missing; no link is followed.

    :param old: the whole id of before, as `zero` for none; `new` is that of now
    :raises OSError: it cannot be
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
