"""The limits that a gateway sets itself before it holds anything."""

from __future__ import annotations

import resource

_MOST_FILES = 8192


def set_limits() -> None:
    """Bound the files that are open at a time, and leave no image of the memory after a crash."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = min(_MOST_FILES, most) if most != resource.RLIM_INFINITY else _MOST_FILES
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    # An image of the memory would hold secrets. The kernel reads 1 as "to no file and to no program
    # either"; 0 would still hand it to a program of the host (core(5)).
    resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
