"""The mount points of one running sandbox, compared with what is at their paths, and its halt when one is lost."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from sandboxd.engine import failures
from sandboxd.halt import points as places
from sandboxd.halt import record, stop, versions
from sandboxd.halt.points import Lost, What
from sandboxd.halt.put_back import put_back, set_aside
from sandboxd.halt.record import Entry, Halt, Owner, Reason
from sandboxd.model.labels import PROJECT
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.observe import open_links, outside, pins
from sandboxd.observe.mount_table import Identity
from sandboxd.observe.workspace import target_of
from sandboxd.plan import gitlinks

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sandboxd.engine.answers import Inspected
    from sandboxd.engine.client import Engine
    from sandboxd.halt.put_back import Outcome
    from sandboxd.halt.verdict import Version
    from sandboxd.halt.versions import Held

_NOTHING = Identity(0, 0)
"""What was mounted at a path where nothing is any more."""


class Guard:
    """Holds open what is at each mount point of a running container, to tell it from what replaces it.

    :param inspected: the engine's description of it, in this run
    """

    def __init__(self, engine: Engine, inspected: Inspected) -> None:
        labels = (inspected.get("Config") or {}).get("Labels") or {}
        self.sandbox = labels.get(PROJECT) or ""
        self.workspace = workspace_of(self.sandbox)
        self.container = inspected["Id"]
        self.points = places.points_of(inspected, self.workspace)
        subject = pins.subject(inspected)
        self._links = subject.links
        self._mounts = subject._replace(links=None)
        self._top = target_of(inspected, self.workspace)
        git = self._links.git if self._links is not None else None
        self.files = (git.path, *git.configs) if git is not None else ()
        """Git's index and configs on the host, which may come to name what needs a mount."""
        self._engine = engine
        self._pid = inspected["State"].get("Pid") or 0
        self._by_signal = outside.look(engine, inspected).shares_kernel
        self._held: dict[str, Held] = {}
        self._mounted: dict[str, Identity] = {}
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

    def close(self) -> None:
        """Let go what is held."""
        for held in self._held.values():
            held.close()
        self._held.clear()

    def lost(self) -> tuple[Lost, ...]:
        """What is lost by now of what was there when this was made, or has no mount since; () when nothing is."""
        # Git does not read an index either that cannot be read, and goes nowhere by it.
        named = open_links.named(self._links)
        return (
            *self._gone(),
            *(self._lost(each.path, What.ENTERED) for each in named.entered),
            *(self._lost(path, What.NAMED) for path in named.acted_upon),
        )

    def _lost(self, path: str, what: What) -> Lost:
        return Lost(os.path.join(self.workspace, path), what)

    def _gone(self) -> tuple[Lost, ...]:
        now = {}
        for path in self._mounted:
            # What cannot be looked at does not count as held.
            with contextlib.suppress(OSError):
                now[path] = versions.identity(path)
        return places.lost(self.points, self._mounted, now)

    def forget_lost_before(self) -> bool:
        """Compare with the container's own mounts; whether some were lost before this was made.

        What is at their paths now is not known to be the host's: it counts as lost from now on.
        """
        for path in self._without_mount():
            if (held := self._held.pop(path, None)) is not None:
                held.close()
            self._mounted[path] = _NOTHING
        return bool(self.lost())

    def has_lost_mounts(self) -> bool:
        """Compare with the container's own mounts: the same file may be back at a path, and its mount is gone.

        So is it with a path that could not be looked at when this was made.
        """
        self._mounted |= dict.fromkeys(self._without_mount(), _NOTHING)
        return bool(self._gone())

    def _without_mount(self) -> set[str]:
        """The paths of points that the container has no mount at any more, as far as can be seen."""
        if not self._top:
            return set()
        targets = [pin.target for pin in pins.look(self._mounts) if pin.is_lost]
        paths = {places.path_of(target, self._top, self.workspace) for target in targets}
        return paths & {point.path for point in self.points}

    def halt(self, environ: Mapping[str, str], owner: Owner, reason: Reason) -> Halt | None:
        """Stop what runs inside, put aside what may be from there, and write that down; None: it does not run any more.

        :raises EnvironmentFailure: the engine does not stop it, or the record cannot be written
        :raises OSError: the folder of the record cannot be made
        """
        try:
            is_ended = stop.stop(self._engine, self.container, self._pid, by_signal=self._by_signal)
        except failures.ContainerGone:
            return None
        # What is replaced from now on is the host's alone.
        lost = self.lost()
        outcomes = {
            self._below(point.path): put_back(self.workspace, point, self._before(point.path))
            for point in places.exposed(self.points, self._gone())
        }
        outcomes |= self._set_aside()
        whats = {self._below(each.path): each.what for each in lost}
        halt = Halt(
            self.sandbox,
            self.container,
            owner,
            reason,
            time.time(),
            _entries(whats, outcomes),
            is_stopped=is_ended,
        )
        record.save(environ, halt)
        return halt

    def complete(self, environ: Mapping[str, str], halt: Halt) -> Halt:
        """Add what the host replaced since: it is one halt. That is the host's alone, and is left.

        A halt that somebody ended meanwhile stays as it is: what is at its paths belongs to the next container.

        :raises EnvironmentFailure: that cannot be written down
        :raises OSError: the folder of the record cannot be made
        """
        with record.changing(environ, self.sandbox):
            if record.open_halt(environ, self.sandbox, self.container) is None:
                return halt
            known = {entry.path: entry.what for entry in halt.entries if entry.what is not None}
            outcomes = {entry.path: entry.outcome for entry in halt.entries if entry.outcome}
            now = {self._below(each.path): each.what for each in self.lost()}
            # Git removes a file before it makes the new one: what was seen as removed may be replaced by now.
            whats = known | {
                path: what for path, what in now.items() if known.get(path) in (None, What.REMOVED)
            }
            if whats == known:
                return halt
            completed = halt._replace(entries=_entries(whats, self._set_aside(known) | outcomes))
            record.save(environ, completed)
            return completed

    def _set_aside(self, known: Collection[str] = ()) -> dict[str, Outcome]:
        """Put aside what may be from inside where git on the host goes since: it may have been there long before.

        :param known: paths at which that was done
        """
        if self._links is None:
            return {}
        own = self._links.git.own
        return {
            each.path: set_aside(self.workspace, each.at)
            for each in open_links.named(self._links).entered
            if each.path not in known and not gitlinks.is_hosts_own(self.workspace, own, each.path)
        }

    def _before(self, path: str) -> Version | None:
        held = self._held.get(path)
        return held.version() if held is not None else None

    def _below(self, path: str) -> str:
        return path.removeprefix(self.workspace.rstrip("/") + "/")


def _entries(whats: Mapping[str, What], outcomes: Mapping[str, Outcome]) -> tuple[Entry, ...]:
    return tuple(
        Entry(path, whats.get(path), outcomes.get(path)) for path in sorted({*whats, *outcomes})
    )


def has_lost(inspected: Inspected) -> bool:
    """Whether a container lost some of its mounts, as far as can be seen."""
    return any(pin.is_lost for pin in pins.look(pins.subject(inspected)))


def compare(engine: Engine, inspected: Inspected, environ: Mapping[str, str]) -> Halt | None:
    """Halt a running container some of whose mounts are lost, as a command does where no daemon watches.

    None: none is lost, as far as can be seen, or it does not run any more.

    :raises EnvironmentFailure: the engine does not stop it, or that cannot be written down
    """
    if not has_lost(inspected):
        return None
    with contextlib.closing(Guard(engine, inspected)) as guard:
        if not guard.forget_lost_before():
            return None
        return guard.halt(environ, Owner.COMMAND, Reason.UNWATCHED)
