"""For how long the files that say what a sandbox may have cannot be read.

A file that somebody is writing is half there for a moment, which ends nobody's work. One that stays so may hold
anything, a revocation above all: whoever gives rights by it has to stop after `LONGEST_SECONDS`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.errors import UsageError
from sandboxd.policy import approvals, floor, trust
from sandboxd.policy.in_force import in_force

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

LONGEST_SECONDS = 30.0
"""Seconds that a sandbox goes on with what it had while such a file cannot be read."""


def is_past(environ: Mapping[str, str], now: float) -> bool:
    """Whether one of the files could not be read for longer than `LONGEST_SECONDS`.

    By the time of its last change, so that each process says the same.

    :param now: seconds since 1970
    """
    user = floor.user_folder(environ)
    files: tuple[tuple[tuple[str, ...], Callable[[], object]], ...] = (
        ((floor.ORGANISATION, os.path.join(user, floor.FILE_NAME)), lambda: in_force(environ)),
        ((os.path.join(user, trust.FILE_NAME),), lambda: trust.grants(environ)),
        ((os.path.join(user, approvals.FILE_NAME),), lambda: approvals.check(environ)),
    )
    # Of a clock that was set back nobody knows how long it is.
    return any(
        abs(now - _changed(paths)) >= LONGEST_SECONDS
        for paths, read in files
        if not _is_readable(read)
    )


def _is_readable(read: Callable[[], object]) -> bool:
    try:
        read()
    except UsageError:
        return False
    return True


def _changed(paths: Iterable[str]) -> float:
    """The time of the last change of one of `paths`, of the links there or of what they lead to; 0 for none."""
    times = [0.0]
    for path in paths:
        for status in (os.stat, os.lstat):
            try:
                times.append(status(path).st_ctime)
            except OSError:
                continue
    return max(times)
