"""Finds what git on the host has begun to act on since a container was created, and that is therefore not mounted
read-only.

Git directories on the host list the repositories that git enters (`plan.entrances`), and their configs name hooks and
programs. The plan protects what they named at the start; a `submodule add`, a `worktree add`, a pull, a checkout or a
`git config core.hooksPath` can name more. What a program inside makes by itself is in none of these lists.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import stat
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.model.labels import PROFILE, PROJECT
from sandboxd.model.paths import lies_in
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.observe import config_paths
from sandboxd.observe.workspace import target_of
from sandboxd.plan import beneath, git_control, gitlinks, profiles
from sandboxd.plan.acting import acting, acts
from sandboxd.plan.entrances import Entrances, entrances
from sandboxd.plan.git_control import NamedByConfig
from sandboxd.plan.gitlinks import Index
from sandboxd.syntax import git_config

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sandboxd.model.engine_answers import Inspected
    from sandboxd.plan.entrances import Entrance


class Watch(NamedTuple):
    """The facts about a container that each check of what git on its host names needs.

    `top` is the path of the workspace inside, `git` its index. `shared` tells, for each mount point at or below `top`,
    whether writes there reach the host's workspace. `start` is when the container was created, in nanoseconds since
    1970. `modules` are the names in git's folder of submodules' repositories, and `by_config` is what git's config named,
    when these facts were collected.
    """

    workspace: str
    top: str
    git: Index
    shared: Mapping[str, bool]
    start: int
    modules: frozenset[str] = frozenset()
    by_config: NamedByConfig = NamedByConfig()
    profile_leaves_open: tuple[str, ...] = ()
    left_open: frozenset[str] = frozenset()
    """Paths on which tools of the host act and that were there, without a mount, when these facts were collected."""


class OpenLink(NamedTuple):
    """A repository that git on the host enters, and that programs inside can write.

    `path` is the path of its own folder within the workspace, such as ``lib/.git``; `at` is the path that programs
    inside may have created. `kept_in` and `is_linked` are as in `plan.entrances.Entrance`.
    """

    path: str
    at: str
    kept_in: str = ""
    is_linked: bool = False


class Named(NamedTuple):
    """The paths that programs inside can write, and that git on the host acts on only since the start.

    `entered` are repositories, `tracked` files that git's index names and on which tools act by themselves, `acted_upon`
    paths within the workspace that the config names. `added` are names of submodules whose repositories git makes since the
    facts were collected, so that it is about to enter them. `unread`
    are indexes that could not be read, each by its path within the workspace and the reason. `files` and `folders` are
    as in `plan.entrances.Entrances`, with the configs. `coming` are absolute paths that do not exist: on the way to what the
    config names, and files that the index names and on which tools act.
    """

    entered: tuple[OpenLink, ...] = ()
    tracked: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    acted_upon: tuple[str, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    coming: tuple[str, ...] = ()


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
        if lies_in(target, top):
            source = posixpath.join(workspace, posixpath.relpath(target, top)).removesuffix("/.")
            shared[target] = bool(mount.get("RW")) and mount.get("Source") == source
    host = inspected.get("HostConfig") or {}
    in_memory = (m["Target"] for m in host.get("Mounts") or [] if m["Type"] == "tmpfs")
    shared |= dict.fromkeys([*(host.get("Tmpfs") or {}), *in_memory], False)
    git = gitlinks.index_of(workspace)
    named = _by_config(workspace, git, entrances(workspace, git))
    of = Watch(workspace, top, git, shared, _time_of(inspected), _modules(git), named)
    of = of._replace(profile_leaves_open=_left_open_by(labels.get(PROFILE) or ""))
    of = of._replace(left_open=frozenset(_unmounted(of)))
    # Who may write all of it needs no submodule to have a command run.
    return None if _is_shared(of, ".git") else of


def moved(of: Watch, place: str) -> Watch:
    """`of`, for a workspace that lies at `place` by now; the host's git directories in it went along."""

    def there(path: str) -> str:
        is_in = f"{path}/".startswith(f"{of.workspace}/")
        return place + path.removeprefix(of.workspace) if is_in else path

    git = Index(there(of.git.own), there(of.git.common))
    return of if place == of.workspace else of._replace(workspace=place, git=git)


def named(of: Watch | None) -> Named:
    """What git directories on the host name now; nothing if `of` is None."""
    if of is None:
        return Named()
    inner = entrances(of.workspace, of.git)
    by_config = _by_config(of.workspace, of.git, inner)
    acted_upon = config_paths.acted_upon(of.workspace, of.by_config, by_config)
    coming = config_paths.steps_to(path for path in by_config.absent if _is_shared(of, path))
    return Named(
        _open(of, inner),
        _tracked(of),
        _added(of, inner),
        tuple(path for path in acted_upon if _is_shared(of, path)),
        tuple((posixpath.join(path, "index"), why) for path, why in inner.unread),
        (*inner.files, *by_config.configs),
        (*inner.folders, *by_config.folders),
        tuple(posixpath.join(of.workspace, path) for path in sorted({*coming, *_missing(of)})),
    )


def with_second_names(of: Watch | None, files: Iterable[str]) -> Iterator[str]:
    """Those of `files` within the workspace, absolute paths of what git on the host reads, that may have got a second name
    since the container was made, by which a program inside could write them.

    A link is neither counted nor followed: what git reads by one is in the list by its own path.
    """
    if of is None:
        return
    for path in files:
        with contextlib.suppress(OSError):
            status = os.lstat(path)
            is_linked = stat.S_ISREG(status.st_mode) and status.st_nlink > 1
            # What had its names before is a copy since the start, and the kernel sets this time.
            if is_linked and status.st_ctime_ns > of.start and lies_in(path, of.workspace):
                yield path


def from_inside(of: Watch, path: str) -> str:
    """What a program inside may have made of `path`, one of `Named.acted_upon`, as a path within the workspace; '' for
    nothing.
    """
    return config_paths.from_inside(of.workspace, path, of.by_config, start=of.start)


def _open(of: Watch, inner: Entrances) -> tuple[OpenLink, ...]:
    """The repositories that programs inside can write.

    Left out are those that the plan left open and reported, and those that could not be entered before the container
    was created.
    """
    open_now = []
    for place in inner.places:
        path = f"{place.path}/.git"
        if place.is_counted and _is_shared(of, path) and not _was_in_the_way(of, place):
            at = place.path if place.in_the_way == place.path else path
            open_now.append(OpenLink(path, at, place.kept_in, place.is_linked))
    return tuple(open_now)


def _left_open_by(profile: str) -> tuple[str, ...]:
    try:
        return profiles.load(profile).left_open
    except SandboxdError:
        return ()


def _tracked(of: Watch) -> tuple[str, ...]:
    """The paths on which tools act, that are there since and that git on the host tracks, such as one that a checkout
    brought back. What git does not track may be anybody's.
    """
    new = sorted(_unmounted(of) - of.left_open)
    if not new:
        return ()
    try:
        names, folders = gitlinks.names_in(of.git), gitlinks.folders_in(of.git)
    except (OSError, ValueError):
        # A broken index is told by `_open`; git checks nothing out by it.
        return ()
    return tuple(path for path in new if path in names or path in folders)


def _missing(of: Watch) -> Iterator[str]:
    """The paths at the top on which tools act, that git tracks and that are not there, as after a halt that put one aside."""
    try:
        tops = gitlinks.tops_in(of.git)
    except (OSError, ValueError):
        return
    for name in tops:
        if acts(name) and _is_shared(of, name) and not os.path.lexists(f"{of.workspace}/{name}"):
            yield name


def is_as_tracked(of: Watch, path: str) -> bool:
    """Whether the file `path` of the workspace has the content that git's index on the host has for it."""
    text: str | None = None
    with (
        contextlib.suppress(OSError, SandboxdError),
        beneath.open_folder(of.workspace) as root,
        beneath.parent_of(root, path, create=False) as folder,
    ):
        text = beneath.read_text(folder, path)
    return text is not None and gitlinks.has_content(
        of.git, path, text.encode("utf-8", "surrogateescape")
    )


def _unmounted(of: Watch) -> set[str]:
    """The paths on which tools act, by their names, that are there, and that programs inside can write."""
    pins = acting(of.workspace, (), of.profile_leaves_open).pins
    return {path for path in pins if _is_shared(of, path)}


def _added(of: Watch, inner: Entrances) -> tuple[str, ...]:
    """The names of submodules that git on the host adds: it makes the repository first, works in it, and names it in the
    index last.

    One that the index has named before is not among them: its place has a mount, or is seen by `_open`.
    """
    new = _modules(of.git) - of.modules
    if not new:
        return ()
    paths = {place.path for place in inner.places if not place.is_linked}
    names = {name for name, path in _names_of_submodules(of.workspace) if path in paths}
    # A name may have slashes; only its first part is seen.
    known = {name.split("/")[0] for name in {*paths, *names}}
    return tuple(sorted(new - known))


def _modules(git: Index) -> frozenset[str]:
    try:
        return frozenset(os.listdir(posixpath.join(git.own, "modules")))
    except OSError:
        return frozenset()


def _names_of_submodules(workspace: str) -> Iterator[tuple[str, str]]:
    """Name and path of each submodule, as the workspace's `.gitmodules` says."""
    text: str | None = None
    with contextlib.suppress(OSError, SandboxdError), beneath.open_folder(workspace) as root:
        text = beneath.read_text(root, ".gitmodules")
    for entry in git_config.parse(text or "").entries:
        if entry.name.startswith("submodule.") and entry.name.endswith(".path") and entry.value:
            yield entry.name.removeprefix("submodule.").removesuffix(".path"), entry.value


def _by_config(workspace: str, git: Index, inner: Entrances) -> NamedByConfig:
    return git_control.named_by_config(workspace, git, inner, os.path.expanduser("~"))


def _is_shared(of: Watch, path: str) -> bool:
    """Whether what is written at `path`, within the workspace, is in the host's folder: as the innermost mount is."""
    place = posixpath.join(of.top, path)
    while place not in of.shared and place != of.top:
        place = posixpath.dirname(place)
    return of.shared[place]


def _was_in_the_way(of: Watch, place: Entrance) -> bool:
    """Whether a link or file is there that no program inside can have made: nobody can set its time of change."""
    if not place.in_the_way:
        return False
    try:
        return os.lstat(posixpath.join(of.workspace, place.in_the_way)).st_ctime_ns < of.start
    except OSError:
        return False


def _time_of(inspected: Inspected) -> int:
    """When a container was made, in ns since 1970; 0 where the engine does not say."""
    try:
        return int(datetime.fromisoformat(str(inspected.get("Created") or "")).timestamp() * 1e9)
    except ValueError:
        return 0
