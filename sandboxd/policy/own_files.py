"""Checks that files in the user's config folder can be written, or read, by this user alone."""

from __future__ import annotations

import os
import stat

from sandboxd.errors import UsageError


def status_of(path: str, what: str, *, follow_links: bool = True) -> os.stat_result | None:
    """The status of a file; None only where there is none, and not where nobody can tell.

    :param what: what is not known without it, for a person
    :param follow_links: False: that of a link itself
    :raises UsageError: it cannot be looked at, or is a link to what is not there, as a folder that is not mounted
    """
    try:
        return os.stat(path, follow_symlinks=follow_links)
    except (FileNotFoundError, NotADirectoryError):
        why = why_away(path)
        if not why:
            return None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
    raise UsageError(
        f"cannot look at `{path}`: {why}",
        f"correct its permissions, or what it leads to: nobody knows {what}",
    )


def why_away(path: str) -> str:
    """Why a file that cannot be found may be in a place that is away, as a disk that is not mounted, for a person; ''
    where there is none.
    """
    while not os.path.lexists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
        if os.path.lexists(path) and not os.path.islink(path) and not os.path.isdir(path):
            return f"`{path}` is no folder"
    is_broken = os.path.islink(path) and not os.path.exists(path)
    return f"the link `{path}` leads to what is not there" if is_broken else ""


def refuse_foreign(path: str, status: os.stat_result, bits: int) -> None:
    """Refuse a file that is not a regular one of this user, or has one of the permission `bits` set.

    :param status: that of the file
    :raises UsageError: it is such a file
    """
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"`{path}` is no regular file", "replace it by one of your own")
    if status.st_uid != os.geteuid() or status.st_mode & bits:
        verb = "read" if bits & 0o044 else "written"
        raise UsageError(f"`{path}` can be {verb} by others", f"`chmod 600 {path}`, and own it")
