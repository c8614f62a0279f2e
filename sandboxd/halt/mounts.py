"""The mount points of one running container: what was mounted at each, held open, and which of them were lost."""

from __future__ import annotations

import contextlib
import posixpath
from typing import TYPE_CHECKING

from sandboxd.halt import points as places
from sandboxd.halt import versions
from sandboxd.halt.points import Lost, What
from sandboxd.halt.verdict import Kind, Version
from sandboxd.observe import config_paths, pins
from sandboxd.observe.mount_table import Identity
from sandboxd.observe.pin import State
from sandboxd.observe.workspace import target_of

if TYPE_CHECKING:
    from sandboxd.halt.versions import Held
    from sandboxd.model.engine_answers import Inspected
    from sandboxd.observe.pins import Subject

_NOTHING = Identity(0, 0)
"""What was mounted at a path where nothing is any more."""


class Mounts:
    """Holds open the file or folder at each mount point of a running container, so that a replacement can be told
    from it.

    `gone`, `moved_to` and `has_lost_in_table` may be asked in a second thread.

    :param inspected: the engine's present description of the container
    :param workspace: the absolute path of its workspace on the host
    :param subject: what `pins.subject` says of it
    """

    def __init__(self, inspected: Inspected, workspace: str, subject: Subject) -> None:
        self.workspace = workspace
        self.points = places.points_of(inspected, workspace)
        self._subject = subject._replace(links=None)
        self._top = target_of(inspected, workspace)
        self._held: dict[str, Held] = {}
        self._mounted: dict[str, Identity] = {}
        self._lost_before: set[str] = set()
        """Paths whose mount was lost while nobody watched."""
        self._in_order_at: float | None = None
        self._linked: set[str] = set()
        """Paths at which the mount is there, and a file has a second name since the start."""
        for point in self.points:
            self._hold(point.path)

    def _hold(self, path: str) -> None:
        try:
            held = versions.Held(path)
        except PermissionError:
            # Not judged here: `pins` says what its mounts show.
            return
        except OSError:
            self._mounted[path] = _NOTHING
            return
        self._held[path], self._mounted[path] = held, held.identity

    def hold_again(self) -> None:
        """Hold open what could not be read when this object was made, where its mount still is there: a program inside can
        take the right to read a folder away and give it back.
        """
        tried = {point.path for point in self.points} - self._mounted.keys()
        for path in tried:
            self._hold(path)
        if not tried & self._held.keys():
            return
        # Looked at after it was opened: another one may have been put there in between.
        holding = {
            places.path_of(pin.target, self._top or "", self.workspace)
            for pin in pins.look(self._subject)
            if pin.state is State.HOLDS
        }
        for path in tried & self._held.keys() - holding:
            self._held.pop(path).close()
            del self._mounted[path]

    def close(self) -> None:
        """Close the files and folders that are held open."""
        for held in self._held.values():
            held.close()
        self._held.clear()

    def gone(self) -> tuple[Lost, ...]:
        """The mounts that were lost: another file is at their path than when this object was made, or none.

        It takes as long as to look at each path once.
        """
        gone = places.lost(self.points, self._mounted, self._identities(self.workspace))
        if place := self.moved_to():
            # It took its mounts along, so that what is in it can be lost there, too.
            gone += places.lost(self.points[1:], self._mounted, self._identities(place))
        return tuple(
            each._replace(what=What.LINKED) if each.path in self._linked else each for each in gone
        )

    def _identities(self, place: str) -> dict[str, Identity]:
        """What is at the path of each point now, for a workspace that lies at `place`."""
        now = {}
        for path in list(self._mounted):
            # What cannot be looked at does not count as held.
            with contextlib.suppress(OSError):
                now[path] = versions.identity(place + path.removeprefix(self.workspace))
        return now

    def moved_to(self) -> str:
        """Where the workspace lies by now; '' for where it was, or a place that cannot be told."""
        held = self._held.get(self.workspace)
        place = held.place() if held is not None else ""
        return place if place != self.workspace else ""

    def forget_lost_before(self, in_order_at: float | None) -> None:
        """Compare with the container's own mount table, before anything else of it is asked: what was lost by then counts
        as lost from now on, and nobody knows whether the host wrote what is there.

        :param in_order_at: when a halt had put what was lost in order, in seconds since 1970; None for never
        """
        self._in_order_at = in_order_at
        for path in self._without_mount():
            self._lost_before.add(path)
            if (held := self._held.pop(path, None)) is not None:
                held.close()
            self._mounted[path] = _NOTHING

    def has_lost_in_table(self) -> bool:
        """Whether `gone` returns anything once what the container's own mount table lacks counts as lost, too.

        That finds a path at which the same file is again but without its mount, and paths that could not be read when
        this object was made.
        """
        self._mounted |= dict.fromkeys(self._without_mount(), _NOTHING)
        return bool(self.gone())

    def _without_mount(self) -> set[str]:
        """The paths of points that the container has no mount at any more, or that can be written by a second name, as
        far as can be seen.
        """
        if not self._top:
            return set()
        lost = {
            places.path_of(pin.target, self._top, self.workspace): pin.state
            for pin in pins.look(self._subject)
            if pin.is_lost
        }
        if self.moved_to():
            # Nothing is where they were looked for, and they may be where it is now.
            return set()
        self._linked |= {path for path, state in lost.items() if state is State.LINKED}
        return lost.keys() & {point.path for point in self.points}

    def before(self, path: str) -> Version | None:
        """What was mounted at a path; None for what is left as it is: the mount was lost before this object was made, and
        nothing there changed since a halt had put it in order.
        """
        if (held := self._held.get(path)) is not None:
            return held.version()
        # What was watched and could not be read is put aside as a whole.
        is_left = path in self._lost_before and not self._is_changed(path)
        return None if is_left else Version(Kind.FOLDER)

    def _is_changed(self, path: str) -> bool:
        """Whether something at `path`, or above it, changed since a halt had put what was lost in order."""
        if self._in_order_at is None:
            return False
        relative = posixpath.relpath(path, self.workspace)
        return config_paths.is_changed(self.workspace, relative, int(self._in_order_at * 1e9))
