"""Paths on the host that are mounted into a running sandbox; the kernel removes a mount when the host replaces its
path.
"""

from __future__ import annotations

import posixpath
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.observe import pin
from sandboxd.observe.workspace import target_of
from sandboxd.plan import git_objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.model.engine_answers import Inspected, MountPoint
    from sandboxd.observe.mount_table import Identity


class Guards(Enum):
    """What a mount protects from being written by the sandbox."""

    NOTHING = "nothing"
    """No content: it only keeps what lies below it from being moved away, or lets git inside read the host's objects."""
    ALL = "all"
    """The file, or the folder with all in it: the mount is read-only, or hides the host's `.git` behind the sandbox's
    own."""


class Point(NamedTuple):
    """A mount on or below the workspace: its path on the host, and what it protects."""

    path: str
    guards: Guards


class What(Enum):
    """What happened to a path on the host, as far as can be seen."""

    REPLACED = "replaced"
    REMOVED = "removed or renamed"
    LINKED = "given a second name"
    """A file at or below it got a hard link on the host, by which programs inside may write it."""
    ARRIVED = "brought there"
    """A file or folder from elsewhere lies there, which programs inside may have open, so that they go on writing it, or
    a link to what they can write."""
    ENTERED = "entered by git"
    """Git's index on the host names a nested repository there, and did not when the container was made."""
    TRACKED = "tracked by git"
    """Git's index on the host names it, tools act upon it, and it was not there when the container was made."""
    LISTED = "listed by git"
    """Git on the host lists a linked work tree there, and did not when the container was made."""
    ADDED = "added by git"
    """Git on the host makes the repository of a submodule of this name, whose place has no mount."""
    NAMED = "named by git"
    """Git's config on the host names the path, so that git acts on it, and did not when the container was made."""


class Lost(NamedTuple):
    """A path on the host whose mount is gone or shows another file than is there now, or that git came to name."""

    path: str
    what: What


def points_of(inspected: Inspected, workspace: str) -> tuple[Point, ...]:
    """The mounts of a container on and below `workspace`, outer ones first, and then those of the host's objects in it.

    () where the workspace is not mounted read-write from the host: a lost mount then makes nothing writable.

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
    # Not below the workspace inside; without them git there has half of its commits.
    points += [
        Point(each.source, Guards.NOTHING)
        for each in pin.requests(inspected)
        if git_objects.is_objects(each.target) and each.source.startswith(f"{workspace}/")
    ]
    return tuple(points)


def path_of(target: str, top: str, workspace: str) -> str:
    """The path on the host for `target`, a path inside; '' where that is not below the workspace.

    :param top: the path of the workspace inside
    :param workspace: the path of the workspace on the host
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
    """The points whose path does not hold what was mounted there; of nested ones only the outermost.

    :param points: outer ones first
    :param mounted: what was at each path when it was mounted; points that are not in it are not judged
    :param now: what is at each path now, without the paths at which nothing is
    """
    gone: list[Lost] = []
    for point in points:
        was, is_now = mounted.get(point.path), now.get(point.path)
        if was is None or was == is_now or _is_in(point.path, gone):
            continue
        gone.append(Lost(point.path, What.REMOVED if is_now is None else What.REPLACED))
    return tuple(gone)


def exposed(points: Iterable[Point], gone: Iterable[Lost]) -> tuple[Point, ...]:
    """The points that protect something and lie at or below a lost path, so that a program inside could write there.

    A workspace that itself was moved exposes nothing: it took its mounts along, and what is at its path now is not shared.
    """
    points = tuple(points)
    moved = {point.path for point in points[:1]}
    gone = tuple(each for each in gone if each.path not in moved)
    return tuple(
        point
        for point in points
        if point.guards is not Guards.NOTHING
        and (_is_in(point.path, gone) or any(each.path == point.path for each in gone))
    )


def _is_in(path: str, gone: Iterable[Lost]) -> bool:
    return any(path.startswith(f"{each.path}/") for each in gone)
