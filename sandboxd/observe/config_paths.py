"""The paths of a workspace that git's config on the host comes to name while a container runs: whether git acts on them,
and what of them may be from inside.

A path that does not exist yet is as open as one that does: a program inside can make it. The plan names those of the
start, so that they count once they exist; those that are named later count at once.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.plan.git_control import NamedByConfig

_MOST_ENTRIES = 2_000
"""Entries of a folder that are looked at; of one with more, nobody knows."""


def acted_upon(workspace: str, before: NamedByConfig, now: NamedByConfig) -> tuple[str, ...]:
    """The paths of `now`, within the workspace, that count: those that exist, and those that `before` has not."""
    return tuple(
        path
        for path in sorted(now.paths)
        if path not in before.paths
        or (path not in before.links and os.path.lexists(posixpath.join(workspace, path)))
    )


def steps_to(paths: Iterable[str]) -> frozenset[str]:
    """Each of `paths`, within a workspace, and every folder above it there: one of them comes first."""
    return frozenset(step for path in paths for step in _steps(path))


def from_inside(workspace: str, path: str, before: NamedByConfig, *, start: int) -> str:
    """What a program inside may have made or changed of `path`: `path`, or a link on the way to it; '' for nothing.

    That it was there before the config named it says nothing: people give such folders the same few names. Nor does it
    that git on the host tracks it, since what is committed inside comes to the host's index.

    :param start: when the container was created, in ns since 1970
    """
    link = next((step for step in _steps(path) if _is_link(workspace, step)), "")
    at = link or path
    since = 0 if path in before.absent and not link else start
    return at if is_changed(workspace, at, since) else ""


def _steps(path: str) -> Iterator[str]:
    """`path` and the folders above it, outer ones first."""
    parts = path.split("/")
    for number in range(1, len(parts) + 1):
        yield "/".join(parts[:number])


def _is_link(workspace: str, path: str) -> bool:
    return os.path.islink(posixpath.join(workspace, path))


def is_changed(workspace: str, path: str, since: int) -> bool:
    """Whether something is at `path`, and it, a folder above it or something in it changed at `since` or later.

    Nobody can set that time; a folder that is renamed gets a new one, and what it holds does not.
    """
    here = posixpath.join(workspace, path)
    if not os.path.lexists(here):
        return False
    above = (posixpath.join(workspace, step) for step in _steps(path))
    for number, each in enumerate(chain(above, _below(here))):
        status = _status(each)
        if number > _MOST_ENTRIES or (status is not None and status.st_ctime_ns >= since):
            return True
    return False


def _below(folder: str) -> Iterator[str]:
    for above, folders, files in os.walk(folder):
        yield from (os.path.join(above, name) for name in (*folders, *files))


def _status(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None
