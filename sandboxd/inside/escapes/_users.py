"""Acts as more than one user: as the one that is there, and as one without rights."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

NOBODYS = 1000
"""A user id that owns nothing inside."""


def as_each_user(act: Callable[[], None]) -> None:
    """Call `act` in a process of this user, then in one of `NOBODYS`.

    The host judges the effect, so what goes wrong in them is not reported.
    """
    for user in (None, NOBODYS):
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                if user is not None:
                    os.setgroups([])
                    os.setgid(user)
                    os.setuid(user)
                act()
            os._exit(0)
        os.waitpid(pid, 0)
