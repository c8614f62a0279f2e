"""The pins of a running container as they are now: its mounts, compared with what is on the host, never a memory.

A pin is a mount on a path of a folder that is shared. When a program on the host puts another file there, as git,
`sed -i` and editors do, the kernel takes the mount away in every container; a folder that is moved takes it along.
"""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.model.labels import SOURCES
from sandboxd.observe import gofer, host_process, mount_table
from sandboxd.observe.pin import Pin, Request, State, Witness, name_of, requests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.engine.answers import Inspected
    from sandboxd.observe.mount_table import Identity, Table


class _MountsOf(NamedTuple):
    """The mounts of a container by the process `pid` of the host, whose /proc is at `root`."""

    witness: Witness
    pid: int
    table: Table
    root: str


def look(inspected: Inspected, root: str = "/proc") -> tuple[Pin, ...]:
    """The state of each pin of a container that runs; () for one that does not, or has none.

    Reads the host's /proc and looks at the paths, for some milliseconds; the engine is not asked.

    :param inspected: the engine's description, of its present run
    :param root: the path of the host's /proc
    """
    state = inspected.get("State") or {}
    if not (state.get("Running") or state.get("Paused")):
        return ()
    asked = requests(inspected)
    mounts = _mounts(asked, inspected, root)
    noted = _noted(inspected)
    ours = _table("self", root) if mounts is not None else {}
    pins = []
    for request in asked:
        verdict = None if mounts is None else _by_mounts(request, mounts, ours)
        pin_state, witness, why = verdict or _by_note(request, noted)
        name = name_of(request, inspected)
        pins.append(
            Pin(name, request.target, request.source, pin_state, witness, why, request.is_read_only)
        )
    return tuple(pins)


def _mounts(asked: tuple[Request, ...], inspected: Inspected, root: str) -> _MountsOf | None:
    """The mounts of the container; None where its runtime keeps them elsewhere, or the host is another one."""
    pid = host_process.pid_of(inspected, root)
    if not pid:
        return None
    servant = gofer.pid_of(pid, str(inspected.get("Id") or ""), root)
    witness = Witness.GOFER if servant else Witness.FIRST_PROCESS
    table = _table(servant or pid, root)
    if not any(request.target in table for request in asked):
        return None
    return _MountsOf(witness, servant or pid, table, root)


def _table(pid: int | str, root: str) -> Table:
    try:
        return mount_table.of_process(pid, root)
    except OSError:
        return {}


def _by_mounts(
    request: Request, mounts: _MountsOf, ours: Table
) -> tuple[State, Witness, str] | None:
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
    if is_same:
        return State.HOLDS, mounts.witness, ""
    return State.LOST, mounts.witness, "another one is at its path on the host"


def _is_at_its_path(request: Request, mounts: _MountsOf, ours: Table) -> bool:
    """Whether what is mounted is what is at its path on the host now.

    :raises FileNotFoundError: nothing is there
    """
    try:
        here = _identity(request.source)
        return here == mount_table.identity(f"{mounts.root}/{mounts.pid}/root", request.target)
    except FileNotFoundError:
        raise
    except OSError:
        # Another user's process, or folder: mounts are shown by path, as they are called at this moment.
        return mounts.table[request.target] == mount_table.place_of(request.source, ours)


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


def _by_note(request: Request, noted: Mapping[str, object]) -> tuple[State, Witness, str]:
    """The verdict where no mount is seen: another inode is a loss; the same one shows nothing, it can be used again."""
    if request.source in noted:
        try:
            is_same = os.lstat(request.source).st_ino == noted[request.source]
        except (OSError, ValueError):
            is_same = False
        if not is_same:
            return State.LOST, Witness.NOTE, "another one than at the start is at its path"
    return State.NOT_CHECKED, Witness.NOBODY, "its mounts cannot be seen from here"
