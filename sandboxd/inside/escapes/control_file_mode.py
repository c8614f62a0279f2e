"""Remount a control file writable in a namespace of our own, then set its mode.

Old gVisor with directfs holds a read-only bind of a file against writing, and not against `chmod`: the
host's file went from 644 to 666 (runsc of July 2024). The mode that is set is the one that is there, so
nothing changes but the time of the last change of the host's file, which the host looks at.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import Any

from sandboxd.inside.escapes._kernel import MS_BIND, MS_REMOUNT, NotApplicable, mount, own_mounts

TITLE = "set the mode of a control file (.git/config, devcontainer.json)"
JUDGE = "workspace"
EXPECTED = {"runc": "read-only file system", "runsc": "read-only file system; the gofer refuses"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    if not facts["control_files"]:
        raise NotApplicable("the workspace has no control file")
    # Where there is no such namespace it is tried as it is.
    with contextlib.suppress(OSError):
        own_mounts()
    reached = []
    last = OSError("no file")
    for path in facts["control_files"]:
        with contextlib.suppress(OSError):
            mount("", path, "", MS_REMOUNT | MS_BIND)
        try:
            os.chmod(path, stat.S_IMODE(os.stat(path).st_mode))
            reached.append(path)
        except OSError as error:
            last = error
    if not reached:
        raise last
    return {"detail": "no error at " + ", ".join(reached), "reached": reached}
