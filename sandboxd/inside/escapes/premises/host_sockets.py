"""A socket of the host that lies in a bound folder cannot be connected to.

Attack: connect to a socket in the read-only folder; a program on the host listens. Where that fails, a
workspace may hold sockets of the user's programs. gVisor opens them only by `--host-uds`, which a runtime
may be registered with.

Seen: closed under runsc 20240729 without that argument.
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import Any

from sandboxd.inside.escapes._users import as_each_user

TITLE = "sockets of the host are closed"
PLAN = ("a socket in the workspace leads nowhere", "a socket in the workspace reaches the host")


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    path = os.path.join(facts["folder"], facts["socket"])

    def connect() -> None:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(path)

    as_each_user(connect)
    return {"detail": ""}


def judge(inside: dict[str, Any], outside: dict[str, Any]) -> tuple[bool, str]:
    if outside["connections"] is None:
        return False, "no socket could be made on the host"
    if outside["connections"]:
        return False, "a program on the host was reached"
    if inside["state"] != "done":
        return False, str(inside.get("detail", ""))
    return True, "no program on the host was reached"
