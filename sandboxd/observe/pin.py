"""The pins of a container: mounts that protect a part of a folder which it shares with the host, by making it read-only
or hiding it.

Pure: the state of each follows from the engine's description and from what was observed.
"""

from __future__ import annotations

import enum
import posixpath
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.model.labels import PROJECT, UP
from sandboxd.model.paths import lies_in
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.screen import first_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sandboxd.model.engine_answers import Inspected


class State(enum.Enum):
    """The state of a pin. ``NOT_CHECKED`` never counts as ``HOLDS``."""

    HOLDS = "holds"
    LOST = "lost"
    MISSING = "missing"
    """There was no pin at the start, but git on the host has acted on that path since."""
    LINKED = "linked"
    """A file of it was given a second name (a hard link) on the host since, by which programs inside may write it."""
    NOT_CHECKED = "not checked"


class Witness(enum.Enum):
    """The source from which the state of a pin was read."""

    FIRST_PROCESS = "the mounts of its first process, seen from the host"
    GOFER = "the mounts of gVisor's gofer, seen from the host"
    NOTE = "the file on the host, compared with what was noted at the start"
    INDEX = "git's index on the host"
    WORK_TREES = "git's list of work trees on the host"
    CONFIG = "git's config on the host"
    INSIDE = "what its own programs show, which can only take a pin back"
    NOBODY = "nothing that can be seen from here"


class Request(NamedTuple):
    """A mount that the container was created with: a folder that it shares with the host, or a mount in one.

    `source` is the path on the host, '' for a volume or memory. `above` is the target of the shared folder in which its
    own target lies, '' if it lies in none.
    """

    target: str
    source: str
    is_read_only: bool
    above: str = ""
    in_memory: bool = False


class Pin(NamedTuple):
    """The present state of one pin. `name`, for the user, is its path in the workspace, otherwise on the host or
    inside.
    """

    name: str
    target: str
    source: str
    state: State
    witness: Witness
    why: str = ""
    """The fault as it was observed, for a person; '' if there is none."""
    is_read_only: bool = True

    @property
    def is_lost(self) -> bool:
        """Whether programs inside can write there although they should not."""
        return self.state in (State.LOST, State.MISSING, State.LINKED)


def requests(inspected: Inspected) -> tuple[Request, ...]:
    """The mounts that a change on the host can remove: the shared folders, and each mount in one, outermost first.

    A mount elsewhere whose source lies in a shared folder, such as git's objects, is included.
    """
    mounts = sorted(_mounts(inspected), key=lambda mount: mount.target)
    writable = [mount for mount in mounts if mount.source and not mount.is_read_only]
    shared = {
        other.target: other.source
        for other in writable
        if any(_is_below(mount.target, other.target) for mount in mounts)
        or other.source == _workspace(inspected)
    }
    pins = []
    for mount in mounts:
        above = [target for target in shared if _is_below(mount.target, target)]
        if above or any(_is_at_or_below(mount.source, source) for source in shared.values()):
            pins.append(mount._replace(above=max(above, key=len, default="")))
    return tuple(pins)


def _workspace(inspected: Inspected) -> str:
    """The folder of its project; '' for a container that names none."""
    labels = (inspected.get("Config") or {}).get("Labels") or {}
    return workspace_of(labels.get(PROJECT) or "")


def _mounts(inspected: Inspected) -> Iterator[Request]:
    """All mounts; a pinned volume (`plan.mounts`) has the path on the host that it stands for as its source."""
    host = inspected.get("HostConfig") or {}
    devices = {}
    for mount in host.get("Mounts") or []:
        options = ((mount.get("VolumeOptions") or {}).get("DriverConfig") or {}).get("Options")
        devices[mount["Target"]] = str((options or {}).get("device") or "")
    memory = {
        *(host.get("Tmpfs") or {}),
        *(m["Target"] for m in host.get("Mounts") or [] if m["Type"] == "tmpfs"),
    }
    for point in inspected.get("Mounts") or []:
        target = point["Destination"]
        if target not in memory:
            source = point.get("Source") if point.get("Type") == "bind" else devices.get(target)
            source = source if source and source.startswith("/") else ""
            yield Request(target, source, not point.get("RW", True))
    for target in memory:
        yield Request(target, "", False, in_memory=True)


def _is_below(path: str, folder: str) -> bool:
    return path != folder and lies_in(path, folder)


def _is_at_or_below(path: str, folder: str) -> bool:
    return bool(path) and lies_in(path, folder)


def name_of(request: Request, inspected: Inspected) -> str:
    """The name of a pin for the user; '.' for the workspace itself."""
    workspace = _workspace(inspected)
    if workspace and _is_at_or_below(request.source, workspace):
        return posixpath.relpath(request.source, workspace)
    if request.above:
        return posixpath.relpath(request.target, request.above)
    return request.source or request.target


def lost(pins: Iterable[Pin]) -> tuple[Pin, ...]:
    """The lost pins, without those that lie in another lost one."""
    outer: list[Pin] = []
    for pin in sorted((pin for pin in pins if pin.is_lost), key=lambda pin: pin.target):
        if not any(_is_below(pin.target, other.target) for other in outer):
            outer.append(pin)
    return tuple(outer)


def not_checked(pins: Iterable[Pin]) -> tuple[Pin, ...]:
    """The pins whose state is not known."""
    return tuple(pin for pin in pins if pin.state is State.NOT_CHECKED)


_MOST_NAMED = 3
LOST = "PIN LOST"
"""The first words of a message about a pin that was lost by a change on the host."""
_MISSING = "PIN MISSING"
_LINKED = "PIN WITH A SECOND NAME"


def headline(pins: Iterable[Pin], where: str = "") -> str:
    """One line for the user that names lost and missing pins, and how that is known; '' if there are none.

    :param where: added to the first words, such as `` in `login` ``
    """
    outer = lost(pins)
    gone = [pin for pin in outer if pin.state is State.LOST]
    missing = [pin for pin in outer if pin.state is State.MISSING]
    linked = [pin for pin in outer if pin.state is State.LINKED]
    parts = [f"{LOST}{where}: {_of_gone(gone)}"] if gone else []
    parts += [f"{_MISSING}{where}: {_of_missing(missing)}"] if missing else []
    parts += [f"{_LINKED}{where}: {_of_linked(linked)}"] if linked else []
    return "; ".join(parts)


def _names(pins: Sequence[Pin]) -> str:
    return first_of([pin.name for pin in pins], _MOST_NAMED)


def _of_missing(missing: Sequence[Pin]) -> str:
    parts = [
        (does, [pin for pin in missing if pin.witness is witness])
        for does, witness in (
            ("goes into", Witness.INDEX),
            ("goes into", Witness.WORK_TREES),
            ("acts upon", Witness.CONFIG),
        )
    ]
    acts = [
        f"{does} {_names(pins)} since the start (known by {pins[0].witness.value})"
        for does, pins in parts
        if pins
    ]
    return f"git on the host {', and '.join(acts)}, and what runs inside can write there"


def _of_linked(linked: Sequence[Pin]) -> str:
    return (
        f"a hard link was made to {_names(linked)} on the host since the start (known by "
        f"{linked[0].witness.value}), and what runs inside can write there by it"
    )


def _of_gone(outer: Sequence[Pin]) -> str:
    if outer[0].name == ".":
        what = "the workspace was moved or replaced, and the sandbox still works on the old one"
    elif len(outer) == 1:
        what = f"{_names(outer)} was replaced or moved, so what runs inside can write there"
    else:
        what = f"{_names(outer)} were replaced or moved, so what runs inside can write there"
    return f"{what} (known by {outer[0].witness.value})"


def anew(made_by: str | None, option: str = "") -> str:
    """The next step after a loss: the container has to be created anew, as no command restores a mount in a running
    one.

    :param made_by: the value of the container's label `MADE_BY`; None without the label
    :param option: the options that select the sandbox, to put behind a command; '' for none
    """
    if made_by == UP:
        return f"`sandboxd up{option} --recreate` makes its container anew, with every pin in place"
    return "rebuild the container where it was started (Dev Containers: Rebuild Container): that puts every pin back"
