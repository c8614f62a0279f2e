"""Checks that files in the user's config folder can be written, or read, by this user alone."""

from __future__ import annotations

import os
import stat

from sandboxd.errors import UsageError


def refuse_foreign(path: str, status: os.stat_result, bits: int) -> None:
    """Refuse a file that is not a regular one of this user, or has one of the permission `bits` set.

    :param status: that of the file, links not followed
    :raises UsageError: it is such a file
    """
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"`{path}` is no regular file", "replace it by one of your own")
    if status.st_uid != os.geteuid() or status.st_mode & bits:
        verb = "read" if bits & 0o044 else "written"
        raise UsageError(f"`{path}` can be {verb} by others", f"`chmod 600 {path}`, and own it")
