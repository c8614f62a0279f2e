"""The limits that a process sets itself before it holds secrets."""

from __future__ import annotations

import resource
import sys

_MOST_FILES = 8192
_PR_SET_DUMPABLE = 4


def set_limits() -> None:
    """Bound the files that are open at a time, and leave no core dump."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = min(_MOST_FILES, most) if most != resource.RLIM_INFINITY else _MOST_FILES
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    leave_no_core()


def leave_no_core() -> None:
    """Leave no core dump after a crash, since the memory holds secrets from now on.

    A limit of 1 means "to no file, and to no program of the host either"; with 0 the kernel still hands the dump to
    such a program (core(5)). Where the hard limit is 0 already, nobody but root can set 1: the process then says that
    it is not to be dumped at all (PR_SET_DUMPABLE, prctl(2)), which also keeps other processes of the user from it.
    """
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    except (ValueError, OSError):
        if sys.platform == "linux":
            import ctypes

            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
