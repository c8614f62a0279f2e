"""Finds what git on the host has begun to act on since a container was created, and that is therefore not mounted
read-only.

The index of a work tree names repositories, in each of which `git status` on the host runs git with the config there.
The config names hooks and programs. The plan protects what both named at the start; a `submodule add`, a pull, a
checkout or a `git config core.hooksPath` can name more.
"""

from __future__ import annotations

import os
import posixpath
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.model.labels import PROJECT
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.observe.workspace import target_of
from sandboxd.plan import git_control, gitlinks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.engine.answers import Inspected
    from sandboxd.plan.gitlinks import Gitlink, Index


class Watch(NamedTuple):
    """The facts about a container that each check of its host's index needs.

    `top` is the path of the workspace inside, `git` its index. `shared` tells, for each mount point at or below `top`,
    whether writes there reach the host's workspace. `start` is when the container was created, in nanoseconds since
    1970.
    """

    workspace: str
    top: str
    git: Index
    shared: Mapping[str, bool]
    start: int


class OpenLink(NamedTuple):
    """A repository that git on the host enters, and that programs inside can write.

    `path` is the path of its own folder within the workspace, such as ``lib/.git``; `at` is the path that programs
    inside may have created.
    """

    path: str
    at: str


class Named(NamedTuple):
    """What git on the host has begun to act on since the start, and programs inside can write.

    `entered` are repositories that the index names, `acted_upon` paths within the workspace that the config names.
    `problem` is the reason why the index could not be read; '' if it was.
    """

    entered: tuple[OpenLink, ...] = ()
    acted_upon: tuple[str, ...] = ()
    problem: str = ""


def watch(inspected: Inspected) -> Watch | None:
    """Collect the facts that `look` needs.

    :returns: None if the container does not share the workspace, or shares the whole `.git` as well, so that a check is
        useless
    """
    labels = (inspected.get("Config") or {}).get("Labels") or {}
    workspace = workspace_of(labels.get(PROJECT) or "")
    top = target_of(inspected, workspace)
    if top is None:
        return None
    shared = {}
    for mount in inspected.get("Mounts") or []:
        target = mount["Destination"]
        if target == top or target.startswith(f"{top}/"):
            source = posixpath.join(workspace, posixpath.relpath(target, top)).removesuffix("/.")
            shared[target] = bool(mount.get("RW")) and mount.get("Source") == source
    host = inspected.get("HostConfig") or {}
    in_memory = (m["Target"] for m in host.get("Mounts") or [] if m["Type"] == "tmpfs")
    shared |= dict.fromkeys([*(host.get("Tmpfs") or {}), *in_memory], False)
    of = Watch(workspace, top, gitlinks.index_of(workspace), shared, _time_of(inspected))
    # Who may write all of it needs no submodule to have a command run.
    return None if _is_shared(of, ".git") else of


def named(of: Watch | None) -> Named:
    """What index and config name now; nothing if `of` is None."""
    if of is None:
        return Named()
    acted_upon = look_at_config(of)
    try:
        return Named(look(of), acted_upon)
    except (OSError, ValueError) as error:
        return Named((), acted_upon, str(getattr(error, "strerror", None) or error))


def look(of: Watch) -> tuple[OpenLink, ...]:
    """The repositories that the index names now and that programs inside can write; () for none.

    Left out are those that the plan left open and reported, and those that could not be entered before the container
    was created.

    :raises OSError: the index cannot be read
    :raises ValueError: it is not valid, or too large
    """
    open_now = []
    for link in gitlinks.gitlinks(of.workspace, of.git):
        path = f"{link.path}/.git"
        if link.is_counted and _is_shared(of, path) and not _was_in_the_way(of, link):
            open_now.append(OpenLink(path, link.path if link.in_the_way == link.path else path))
    return tuple(open_now)


def look_at_config(of: Watch) -> tuple[str, ...]:
    """The paths within the workspace on which git acts because of its config on the host, and which programs inside can
    write.
    """
    named = git_control.named_by_config(of.workspace, of.git, os.path.expanduser("~"))
    return tuple(
        path
        for path in named
        if os.path.lexists(os.path.join(of.workspace, path)) and _is_shared(of, path)
    )


def _is_shared(of: Watch, path: str) -> bool:
    """Whether what is written at `path`, within the workspace, is in the host's folder: as the innermost mount is."""
    place = posixpath.join(of.top, path)
    while place not in of.shared and place != of.top:
        place = posixpath.dirname(place)
    return of.shared[place]


def _was_in_the_way(of: Watch, link: Gitlink) -> bool:
    """Whether a link or file is there that no program inside can have made: nobody can set its time of change."""
    if not link.in_the_way:
        return False
    try:
        return os.lstat(posixpath.join(of.workspace, link.in_the_way)).st_ctime_ns < of.start
    except OSError:
        return False


def _time_of(inspected: Inspected) -> int:
    """When a container was made, in ns since 1970; 0 where the engine does not say."""
    try:
        return int(datetime.fromisoformat(str(inspected.get("Created") or "")).timestamp() * 1e9)
    except ValueError:
        return 0
