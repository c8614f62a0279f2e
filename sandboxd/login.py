"""The user that this process runs as."""

from __future__ import annotations

import os
import sys


def login_name() -> str:
    """The login name of this process's user; its numeric id where it has no name."""
    if sys.platform == "win32":
        return os.environ.get("USERNAME", "")
    import pwd

    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
