"""Whether a container got the files that were meant, and whether its pins still are on them.

An engine mounts by path, and what is at a path can be exchanged between our look and the mount. So
each file is opened here without following a link, and after the start its device and inode are
compared with what is mounted. Under gVisor, and where the engine's files are not this machine's, the
mounts cannot be seen from here: then only `life.overlaps` stands in the way.

A pin is a mount on a file. When a program on the host puts another file in its place, as editors and
`git checkout` do, the kernel takes the mount away in every container.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.model.paths import lies_in
from sandboxd.observe import mount_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandboxd.model.engine_answers import MountRequest, State
    from sandboxd.observe.mount_table import Table
    from sandboxd.plan.plan import Plan


class Source(NamedTuple):
    """A file or folder of the host that is mounted at `target`, with its device and inode numbers when it was
    opened.
    """

    path: str
    target: str
    device: int
    inode: int


def open_sources(mounts: Iterable[MountRequest]) -> tuple[Source, ...]:
    """Open each bind mount's source without following links, and return the sources in the order of `mounts`.

    :raises UsageError: the path of a source contains a symbolic link, or cannot be opened
    :raises SourceMissing: a source does not exist
    """
    sources = []
    for mount in mounts:
        if mount.get("Type") == "bind":
            sources.append(_open(mount["Source"], mount["Target"]))
    return tuple(sources)


def _open(path: str, target: str) -> Source:
    try:
        device, inode = mount_table.identity("/", path)
    except FileNotFoundError:
        raise failures.SourceMissing(path) from None
    except OSError as error:
        raise UsageError(
            f"`{path}` cannot be mounted: {(error.strerror or str(error)).lower()}, or a link is there",
            "it was another thing a moment ago: see what writes there, then run `sandboxd up` again",
        ) from None
    return Source(path, target, device, inode)


def part_pinned(plan: Plan, progress: Callable[[str], None]) -> None:
    """Replace each file that the plan mounts read-only and that has further hard links by a copy of it.

    Otherwise a program inside could change the file by another of its names. To be called when no container of the plan
    runs: the kernel removes a mount from a file that is replaced.

    :param progress: called with a message for each such file
    :raises UsageError: the path of a file contains a symbolic link
    :raises EnvironmentFailure: a file cannot be replaced by its copy
    """
    from sandboxd.plan import second_names

    mounts = [mount.value for mount in plan.container.mounts]
    if not any(mount.source == plan.workspace and not mount.read_only for mount in mounts):
        return
    shut = [path for path in plan.control_files if path != ".git" or plan.own_git is None]
    shut += _read_by_git(plan.workspace) if plan.own_git is not None else []
    parted, is_whole = second_names.part(plan.workspace, shut)
    for path in parted:
        progress(
            f"`{path}` had a second name, by which it could be written inside: it is a copy now"
        )
    if not is_whole:
        progress("not all files that are shut were looked at for second names: there are too many")
    for folder in _folders_of_objects(plan):
        _part_objects(folder, progress)
    _part_outside(plan, progress)


def _read_by_git(workspace: str) -> list[str]:
    """The paths within `workspace` of what git on the host reads there to learn what it acts upon."""
    from sandboxd.plan import entrances, git_control, gitlinks

    index = gitlinks.index_of(workspace)
    inner = entrances.entrances(workspace, index)
    named = git_control.named_by_config(workspace, index, inner, os.path.expanduser("~"))
    # By a link it is elsewhere, under a path that has its own mount.
    real = {
        os.path.join(os.path.realpath(folder), name)
        for folder, name in map(os.path.split, (*inner.files, *named.configs))
    }
    return sorted(os.path.relpath(path, workspace) for path in real if lies_in(path, workspace))


def _part_outside(plan: Plan, progress: Callable[[str], None]) -> None:
    """Replace files that programs inside may write and that have names outside of the workspace.

    :raises EnvironmentFailure: one may be left, and the profile is for code that nobody knows
    """
    from sandboxd.plan import outside_names, profiles

    mounts = [mount.value for mount in plan.container.mounts]
    (top, *_) = [
        mount.target
        for mount in mounts
        if mount.source == plan.workspace and mount.type == "bind" and not mount.read_only
    ]
    skipped = outside_names.hidden_paths(mounts, plan.workspace, top)
    # Those of the project's own repository are for `part_objects`.
    parted = outside_names.part_outside(plan.workspace, {*skipped, ".git/objects"})
    if parted.number:
        where = ", ".join(f"`{name or '.'}`" for name in parted.folders)
        progress(
            f"{parted.number:,} files ({parted.size / 1e6:,.1f} MB) in {where} had names outside of this folder, as uv and "
            "pnpm link their caches: they are copies now; `UV_LINK_MODE=copy`, or `package-import-method=copy` of "
            "pnpm, makes no links"
        )
    if parted.is_whole:
        return
    why = (
        "not all files were parted from names outside of this folder (there are too many or too large ones, or some are "
        "not yours): by such a name a program inside could write into a cache of yours"
    )
    if profiles.load(plan.profile).gvisor == "required":
        raise EnvironmentFailure(
            why, 'work on a private copy: `[workspace] layout = "clone"` in sandboxd.toml'
        )
    progress(why)


def _folders_of_objects(plan: Plan) -> tuple[str, ...]:
    """The folders of the host from which git there reads objects."""
    if plan.own_git is None:
        folder = os.path.join(plan.workspace, ".git/objects")
        is_shut = ".git" in plan.control_files and os.path.realpath(folder) == folder
        return (folder,) if is_shut and os.path.isdir(folder) else ()
    modules = (module.objects for module in plan.own_git.modules.modules)
    return tuple(folder.path for folder in (*plan.own_git.objects.folders, *modules))


def _part_objects(folder: str, progress: Callable[[str], None]) -> None:
    from sandboxd.plan import second_names

    parted, is_whole = second_names.part_objects(folder)
    if parted:
        progress(
            f"{parted:,} objects in `{folder}` had second names, as `git clone` of a path gives them, by which they "
            "could be written inside: they are copies now; `git fsck` says whether one was changed before"
        )
    if not is_whole:
        progress(
            f"objects in `{folder}` have second names, and a program inside may write those that lie in the "
            "workspace: `git repack -a -d` on the host ends that"
        )


def differing(sources: Sequence[Source], pid: int) -> tuple[str, ...] | None:
    """Paths of those sources that are not what the process `pid` has mounted at their target.

    :param pid: a process of the container, as this host numbers it
    :returns: None if this host sees none of the mounts in that process, because its runtime keeps them elsewhere
    :raises OSError: the mounts of the process cannot be read
    """
    theirs, ours = mount_table.of_process(pid), mount_table.of_process("self")
    if sources and not any(source.target in theirs for source in sources):
        return None
    return tuple(source.path for source in sources if not _is_mounted(source, pid, theirs, ours))


def _is_mounted(source: Source, pid: int, theirs: Table, ours: Table) -> bool:
    if source.target not in theirs:
        return False
    try:
        mounted = mount_table.identity(f"/proc/{pid}/root", source.target)
        return mounted == (source.device, source.inode)
    except PermissionError:
        # Another user's process: its mounts are shown by path, as they are called at this moment.
        return theirs[source.target] == mount_table.place_of(source.path, ours)


def compare(sources: Sequence[Source], pid: int) -> bool:
    """Compare the opened sources with what the process `pid` has mounted.

    :returns: True if all are the same; False if the mounts cannot be seen
    :raises EnvironmentFailure: something else is mounted
    """
    try:
        paths = differing(sources, pid)
    except OSError:
        return False
    if paths:
        raise EnvironmentFailure(
            f"`{paths[0]}` was exchanged while it was mounted, so the container got another file; it is "
            "removed",
            "see what else writes there, then run `sandboxd up` again",
        )
    return paths is not None


def require_same(
    opened: Sequence[Source], state: State, progress: Callable[[str], None], *, gvisor: bool
) -> None:
    """Compare the opened sources with the mounts of a container, before any program of the image runs in it.

    If they cannot be compared, `progress` is called with a message.

    :param opened: the sources; () if the engine's files are not this machine's, and then nothing is compared
    :param state: the container's state, as the engine describes it
    :param gvisor: whether the runtime is gVisor, whose mounts the host cannot see
    :raises EnvironmentFailure: something else was mounted
    """
    if not opened or (not gvisor and compare(opened, state.get("Pid") or 0)):
        return
    whose = "gVisor" if gvisor else "the runtime"
    progress(f"mounts not compared: {whose} hides them; no other running sandbox can write there")


def note(sources: Iterable[Source]) -> str:
    """The value of a container's label with the inode of each source, for `replaced` to compare later."""
    # No device: many file systems get another number after a restart of the machine.
    inodes = {source.path: source.inode for source in sources}
    return json.dumps(inodes, separators=(",", ":"), sort_keys=True)


def replaced(noted: str, workspace: str) -> tuple[str, ...]:
    """Paths of sources within `workspace` whose file on the host is another one than when the label was written.

    Their read-only mounts are gone.

    :param noted: the label's value, as `note` returned it
    :returns: () also if the label is missing or not valid
    """
    try:
        inodes = json.loads(noted or "{}")
    except ValueError:
        return ()
    paths = []
    for path, inode in inodes.items() if isinstance(inodes, dict) else ():
        try:
            same = os.lstat(path).st_ino == inode
        except (OSError, ValueError):
            same = False
        if not same:
            paths.append(path)
    prefix = workspace.rstrip("/") + "/"
    return tuple(path.removeprefix(prefix) for path in paths)
