"""Checks the pins of a running container: compares its present mounts with the files on the host.

A pin is a mount on a path in a shared folder. When a program on the host replaces the file there, as git, `sed -i` and
editors do, the kernel removes the mount in every container; when a folder is moved, the mount moves with it.
"""

from __future__ import annotations

import errno
import json
import os
import posixpath
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.model.labels import MADE_BY, SOURCES, UP
from sandboxd.observe import gofer, host_process, mount_table, open_links
from sandboxd.observe.hard_links import most_names
from sandboxd.observe.pin import Pin, Request, State, Witness, name_of, requests
from sandboxd.plan.acting import is_of_version_control
from sandboxd.plan.git_objects import is_objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sandboxd.model.engine_answers import Inspected
    from sandboxd.observe.mount_table import Identity, Table
    from sandboxd.observe.open_links import Watch


_Verdict = tuple[State, Witness, str]


class Subject(NamedTuple):
    """The facts about a container that each check of its pins needs; they do not change while it runs."""

    container: str
    """The container's full id."""
    pid: int
    """The pid of its first process, as the engine reports it; 0 if it does not run."""
    requests: tuple[tuple[str, Request], ...]
    """The mounts that can be lost, each with its name for the user."""
    noted: Mapping[str, object]
    """The inodes by path that `life.mounted.note` recorded at the start."""
    inside: frozenset[str] = frozenset()
    """Mount points that programs inside showed once; a pin is lost if its folder is among them and it is not. Empty if
    nobody asked.
    """
    links: Watch | None = None
    """The facts by which paths that need a pin only since the start are found; None to look for none."""
    is_parted: bool = False
    """Whether each file that is shut had one name at the start: `up` sees to that, an editor's start does not."""


class _MountsOf(NamedTuple):
    """The mounts of a container by the process `pid` of the host, whose /proc is at `root`."""

    witness: Witness
    pid: int
    table: Table
    root: str


def subject(inspected: Inspected, inside: Iterable[str] = ()) -> Subject:
    """Collect the facts for checks of a container's pins in its present run.

    :param inside: the mount points that programs inside show; empty if nobody asked
    """
    state = inspected.get("State") or {}
    pid = int(state.get("Pid") or 0) if state.get("Running") or state.get("Paused") else 0
    labels = (inspected.get("Config") or {}).get("Labels") or {}
    asked = tuple((name_of(request, inspected), request) for request in requests(inspected))
    return Subject(
        str(inspected.get("Id") or ""),
        pid,
        asked,
        _noted(inspected),
        frozenset(inside),
        open_links.watch(inspected),
        labels.get(MADE_BY) == UP,
    )


def look(of: Subject, root: str = "/proc") -> tuple[Pin, ...]:
    """The present state of each pin of a container; () if it does not run or has none.

    It reads the host's /proc and examines the paths, which takes some milliseconds; the engine is not asked.

    :param root: the path of the host's /proc
    """
    if not of.pid:
        return ()
    mounts = _mounts(of, root)
    ours = _table("self", root) if mounts is not None else {}
    pins = []
    for name, request in of.requests:
        verdict = (
            None if mounts is None else _by_mounts(request, mounts, ours, is_parted=of.is_parted)
        )
        verdict = _by_inside(request, of.inside, verdict or _by_note(request, of.noted))
        pins.append(Pin(name, request.target, request.source, *verdict, request.is_read_only))
    return (*pins, *_missing(of.links))


def _missing(links: Watch | None) -> Iterator[Pin]:
    """Yield a missing pin for each path that git acts on only since the start, and one for an index that is unreadable."""
    if links is None:
        return
    named = open_links.named(links)
    for path in named.acted_upon:
        why = "git's config on the host names it since"
        yield _pin_of(links, path, State.MISSING, why, Witness.CONFIG)
    for each in named.entered:
        by, witness = (
            ("list of work trees", Witness.WORK_TREES)
            if each.is_linked
            else ("index", Witness.INDEX)
        )
        why = f"git's {by} on the host names it since"
        yield _pin_of(links, each.path, State.MISSING, why, witness)
    for path, problem in named.unread:
        yield _pin_of(links, path, State.NOT_CHECKED, f"the index cannot be read: {problem}")


def _pin_of(
    links: Watch, path: str, state: State, why: str, witness: Witness = Witness.INDEX
) -> Pin:
    target, source = posixpath.join(links.top, path), posixpath.join(links.workspace, path)
    return Pin(path, target, source, state, witness, why)


def _mounts(of: Subject, root: str) -> _MountsOf | None:
    """The mounts of the container; None where its runtime keeps them elsewhere, or the host is another one."""
    servant = gofer.pid_of(of.pid, of.container, root)
    table = _table(servant or of.pid, root)
    # The engine's own files for a container are mounted in it: they name it where no control group does.
    is_its_own = host_process.is_of(of.pid, of.container, root) or any(
        of.container in mounted.path for mounted in table.values()
    )
    if not is_its_own or not any(request.target in table for _, request in of.requests):
        return None
    witness = Witness.GOFER if servant else Witness.FIRST_PROCESS
    return _MountsOf(witness, servant or of.pid, table, root)


def _table(pid: int | str, root: str) -> Table:
    try:
        return mount_table.of_process(pid, root)
    except OSError:
        return {}


def _by_mounts(
    request: Request, mounts: _MountsOf, ours: Table, *, is_parted: bool
) -> _Verdict | None:
    """The verdict of the host's kernel; None for what these mounts do not show."""
    if request.target not in mounts.table:
        # A mount outside of a shared folder is on the image's, where no act of the host ends it.
        is_shown = request.above in mounts.table
        if not is_shown or (request.in_memory and mounts.witness is Witness.GOFER):
            return None
        return State.LOST, mounts.witness, "its mount is gone, or was moved along with its folder"
    if not request.source:
        return State.HOLDS, mounts.witness, ""
    try:
        is_same = _is_at_its_path(request, mounts, ours)
    except FileNotFoundError:
        return State.LOST, mounts.witness, "nothing is at its path on the host"
    if not is_same:
        return State.LOST, mounts.witness, "another one is at its path on the host"
    if request.is_read_only and (names := most_names(request.source)) > 1:
        what = "a file in it" if os.path.isdir(request.source) else "it"
        why = f"{what} has {names} names on the host, and may be written inside by another one"
        is_shared = is_objects(request.target) or is_of_version_control(request.source)
        is_new = is_parted and not is_shared
        return State.LINKED if is_new else State.NOT_CHECKED, mounts.witness, why
    return State.HOLDS, mounts.witness, ""


def _is_at_its_path(request: Request, mounts: _MountsOf, ours: Table) -> bool:
    """Whether what is mounted is what is at its path on the host now.

    :raises FileNotFoundError: nothing is there
    """
    try:
        here = _identity(request.source)
    except FileNotFoundError:
        raise
    except OSError:
        here = None
    try:
        inside = mount_table.identity(f"{mounts.root}/{mounts.pid}/root", request.target)
    except OSError:
        inside = None
    if here is None or inside is None:
        # Another user's process, or folder: mounts are shown by path, as they are called at this moment.
        return mounts.table[request.target] == mount_table.place_of(request.source, ours)
    return here == inside


def _identity(path: str) -> Identity:
    """What is at `path` now.

    :raises OSError: nothing is there, or it may not be looked at
    """
    try:
        return mount_table.identity("/", path)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        # An editor's mount may be written by a link above the workspace; `up` makes none of that kind.
        folder, name = os.path.split(path)
        return mount_table.identity(os.path.realpath(folder), name)


def _noted(inspected: Inspected) -> Mapping[str, object]:
    """The inodes by path that `life.mounted.note` wrote at the start; {} without or with an invalid note."""
    labels = (inspected.get("Config") or {}).get("Labels") or {}
    try:
        inodes = json.loads(labels.get(SOURCES) or "{}")
    except (ValueError, RecursionError):
        return {}
    return inodes if isinstance(inodes, dict) else {}


def _by_inside(request: Request, points: frozenset[str], verdict: _Verdict) -> _Verdict:
    """`verdict`, or a loss where the sandbox's own kernel shows the folder around it mounted, and nothing there.

    gVisor's kernel drops a mount whose folder was moved away, and does not take it back when the folder is.
    """
    if verdict[0] is State.LOST or request.target in points or request.above not in points:
        return verdict
    return State.LOST, Witness.INSIDE, "inside, nothing is mounted there"


def _by_note(request: Request, noted: Mapping[str, object]) -> _Verdict:
    """The verdict where no mount is seen: another inode is a loss; the same one shows nothing, it can be used again."""
    if request.source in noted:
        try:
            is_same = os.lstat(request.source).st_ino == noted[request.source]
        except (OSError, ValueError):
            is_same = False
        if not is_same:
            return State.LOST, Witness.NOTE, "another one than at the start is at its path"
    return State.NOT_CHECKED, Witness.NOBODY, "its mounts cannot be seen from here"
