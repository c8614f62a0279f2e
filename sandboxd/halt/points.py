"""Paths of the host that a running sandbox has mounts on, which go when the host replaces what is there."""

from __future__ import annotations

import posixpath
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.observe.workspace import target_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.engine.answers import Inspected, MountPoint
    from sandboxd.observe.mount_table import Identity


class Guards(Enum):
    """What a mount keeps from being written, beyond its own place."""

    NOTHING = "nothing"
    """It is there so that what lies below cannot be moved away."""
    ALL = "all"
    """It is read-only, the file or the folder with all in it, or hides git's own folder behind another one."""


class Point(NamedTuple):
    """A mount below the workspace: its path on the host, and what it guards."""

    path: str
    guards: Guards


class What(Enum):
    """What became of a path, as far as a look can tell."""

    REPLACED = "replaced"
    REMOVED = "removed or renamed"
    ENTERED = "entered by git"
    """Git's index on the host names a repository there, which it did not when the container was made."""
    NAMED = "named by git"
    """Git's config on the host has git act upon it, which it did not when the container was made."""


class Lost(NamedTuple):
    """A point whose mount is gone, or would be on another file than is at its path now."""

    path: str
    what: What


def points_of(inspected: Inspected, workspace: str) -> tuple[Point, ...]:
    """The mounts of a container on and below `workspace`, outer ones first.

    () where the workspace is no folder of the host that can be written inside: nothing opens by itself then.

    :param workspace: its path on the host
    """
    top = target_of(inspected, workspace)
    if top is None:
        return ()
    points = [Point(workspace, Guards.NOTHING)]
    for mount in sorted(inspected.get("Mounts") or [], key=lambda each: each["Destination"]):
        path = path_of(mount["Destination"], top, workspace)
        guards = _guards(mount, path, workspace) if path else None
        if guards is not None:
            points.append(Point(path, guards))
    return tuple(points)


def path_of(target: str, top: str, workspace: str) -> str:
    """The path on the host of a place inside, '' for one that is not below the workspace.

    :param top: the place inside of the workspace itself
    """
    prefix = top.rstrip("/") + "/"
    return posixpath.join(workspace, target[len(prefix) :]) if target.startswith(prefix) else ""


def _guards(mount: MountPoint, path: str, workspace: str) -> Guards | None:
    """What a mount guards; None for one that shuts nothing, such as a cache in a volume."""
    if not mount.get("RW"):
        return Guards.ALL
    if mount.get("Type") != "bind":
        return None
    if mount.get("Source") == path:
        return Guards.NOTHING
    return Guards.ALL if ".git" in posixpath.relpath(path, workspace).split("/") else None


def lost(
    points: Iterable[Point],
    mounted: Mapping[str, Identity],
    now: Mapping[str, Identity],
) -> tuple[Lost, ...]:
    """The points at which something else is now than is mounted, the outermost alone; those not in `mounted` are not judged.

    :param points: outer ones first
    :param mounted: what each path was when it was mounted
    :param now: what is at each path; a path where nothing is, is not in it
    """
    gone: list[Lost] = []
    for point in points:
        was, is_now = mounted.get(point.path), now.get(point.path)
        if was is None or was == is_now or _is_in(point.path, gone):
            continue
        gone.append(Lost(point.path, What.REMOVED if is_now is None else What.REPLACED))
    return tuple(gone)


def exposed(points: Iterable[Point], gone: Iterable[Lost]) -> tuple[Point, ...]:
    """The points that guard something and lie at or below a path that was lost, the workspace itself excepted.

    A workspace that was moved took its mounts along: nothing in it is open, and what is at its path now is not shared.
    """
    points, gone = tuple(points), tuple(gone)
    if any(each.path == point.path for each in gone for point in points[:1]):
        return ()
    return tuple(
        point
        for point in points
        if point.guards is not Guards.NOTHING
        and (_is_in(point.path, gone) or any(each.path == point.path for each in gone))
    )


def _is_in(path: str, gone: Iterable[Lost]) -> bool:
    return any(path.startswith(f"{each.path}/") for each in gone)
