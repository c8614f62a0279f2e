"""The user of this process."""

from __future__ import annotations

import os
import sys


def login_name() -> str:
    """The login name of this process' user, else its number."""
    if sys.platform == "win32":
        return os.environ.get("USERNAME", "")
    import pwd

    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
