"""Compares the mounts of one running sandbox with what is at their host paths, and halts it when one was lost."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from sandboxd.engine import failures
from sandboxd.halt import points as places
from sandboxd.halt import record, stop, versions
from sandboxd.halt.arrivals import AGAIN_SECONDS, Arrivals
from sandboxd.halt.points import Guards, Lost, What
from sandboxd.halt.put_back import put_back, set_aside
from sandboxd.halt.record import Entry, Halt, Owner, Reason
from sandboxd.halt.verdict import Action, Kind, Version
from sandboxd.model.labels import PROJECT
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.observe import hard_links, host_process, open_links, outside, pins
from sandboxd.observe.mount_table import Identity
from sandboxd.observe.pin import State
from sandboxd.observe.workspace import target_of
from sandboxd.plan.acting import is_of_version_control
from sandboxd.plan.entrances import hosts_own

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.halt.arrivals import Origins
    from sandboxd.halt.put_back import Outcome
    from sandboxd.halt.versions import Held
    from sandboxd.model.engine_answers import Inspected
    from sandboxd.observe.open_links import Watch

_NOTHING = Identity(0, 0)
"""What was mounted at a path where nothing is any more."""


class Guard:
    """Holds open the file or folder at each mount point of a running container, so that a replacement can be told
    from it.

    :param inspected: the engine's present description of the container
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
        self._engine = engine
        self._pid = inspected["State"].get("Pid") or 0
        self._was_here = host_process.is_of(self._pid, self.container)
        self._by_signal = outside.look(engine, inspected).shares_kernel
        self._held: dict[str, Held] = {}
        self._mounted: dict[str, Identity] = {}
        self._done: dict[str, Outcome] = {}
        """What a halt did at each path, also one that the engine has not carried out yet."""
        self._lost_before: set[str] = set()
        """Paths whose mount was lost while nobody watched."""
        self._is_held = False
        """Whether nothing inside has run since all was put in order, although no engine answered."""
        self._linked: set[str] = set()
        """Paths at which the mount is there, and a file has a second name since the start."""
        self._config_written = 0
        """When the config that names a path without a mount was written, in ns since 1970; 0 while none does."""
        for point in self.points:
            self._hold(point.path)
        self.shut_files = tuple(
            file
            for point in self.points
            if point.guards is Guards.ALL and not is_of_version_control(point.path)
            for file in hard_links.files_at(point.path)
        )
        """Paths on the host of files that must get no second name, those in folders included."""

        self._arrivals = Arrivals(self.workspace, self._shut_folders())
        self._arrived: dict[str, None] = {}
        """What came from elsewhere into a folder that is shut, and may be written inside."""

    def _shut_folders(self) -> Iterator[str]:
        for point in self.points:
            if point.guards is Guards.ALL and not is_of_version_control(point.path):
                yield point.path
        hooks = os.path.join(self._links.git.common, "hooks") if self._links is not None else ""
        if hooks.startswith(f"{self.workspace}/"):
            yield hooks

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
            for pin in pins.look(self._mounts)
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

    @property
    def next_look(self) -> float | None:
        """Seconds until `has_open_arrivals` is to be called again though nothing happens; None for no such need."""
        return AGAIN_SECONDS if self._arrivals.is_waiting else None

    def has_open_arrivals(self, origins: Origins) -> bool:
        """Whether something came into a shut folder that a program inside may write there, and that no copy replaced.

        :param origins: how entries came there since the last call
        """
        self._arrived |= dict.fromkeys(self._arrivals.part(origins))
        return bool(self._arrived)

    def has_lost(self) -> bool:
        """Whether `lost` returns anything: what takes least time is looked at first."""
        return bool(self._gone() or self._named())

    def lost(self) -> tuple[Lost, ...]:
        """The mounts that were lost, and paths that git on the host names by now and that have no mount; () for
        neither.

        A mount is lost when another file than at the time of this object's creation is at its path, or none.
        """
        return (*self._gone(), *self._arrivals_seen(), *self._named())

    def _arrivals_seen(self) -> Iterator[Lost]:
        return (Lost(path, What.ARRIVED) for path in self._arrived)

    def lists(self) -> tuple[Collection[str], ...]:
        """Absolute paths of the files by which git on the host names paths that may have no mount, of the folders in
        which new ones of them come, of what does not exist yet on the way to such a path, and of all folders that are
        shut.
        """
        named = open_links.named(self._links)
        return named.files, named.folders, named.coming, self._arrivals.folders()

    def _named(self) -> tuple[Lost, ...]:
        # Git does not read an index either that cannot be read, and goes nowhere by it.
        named = open_links.named(self._present_links())
        if named.acted_upon:
            self._config_written = self._config_written or named.written
        return (
            *(
                self._lost(each.path, What.LISTED if each.is_linked else What.ENTERED)
                for each in named.entered
            ),
            *(self._lost(path, What.TRACKED) for path in named.tracked),
            *(self._lost(name, What.ADDED) for name in named.added),
            *(self._lost(path, What.NAMED) for path in named.acted_upon),
        )

    def _lost(self, path: str, what: What) -> Lost:
        return Lost(os.path.join(self.workspace, path), what)

    def _gone(self) -> tuple[Lost, ...]:
        gone = places.lost(self.points, self._mounted, self._identities(self.workspace))
        if place := self._moved_to():
            # It took its mounts along, so that what is in it can be lost there, too.
            gone += places.lost(self.points[1:], self._mounted, self._identities(place))
        return tuple(
            each._replace(what=What.LINKED) if each.path in self._linked else each for each in gone
        )

    def _identities(self, place: str) -> dict[str, Identity]:
        """What is at the path of each point now, for a workspace that lies at `place`."""
        now = {}
        for path in self._mounted:
            # What cannot be looked at does not count as held.
            with contextlib.suppress(OSError):
                now[path] = versions.identity(place + path.removeprefix(self.workspace))
        return now

    def _place(self) -> str:
        return self._moved_to() or self.workspace

    def _moved_to(self) -> str:
        held = self._held.get(self.workspace)
        place = held.place() if held is not None else ""
        return place if place != self.workspace else ""

    def _present_links(self) -> Watch | None:
        return self._links and open_links.moved(self._links, self._place())

    def forget_lost_before(self) -> bool:
        """Compare with the container's own mount table; returns whether mounts were lost before this object was made.

        The host may not have written what is at their paths now, so these paths count as lost from now on.
        """
        for path in self._without_mount():
            self._lost_before.add(path)
            if (held := self._held.pop(path, None)) is not None:
                held.close()
            self._mounted[path] = _NOTHING
        return bool(self.lost())

    def has_lost_mounts(self) -> bool:
        """Compare with the container's own mount table; returns whether a mount is missing there.

        That finds a path at which the same file is again but without its mount, and paths that could not be read when
        this object was made.
        """
        self._mounted |= dict.fromkeys(self._without_mount(), _NOTHING)
        return bool(self._gone())

    def _without_mount(self) -> set[str]:
        """The paths of points that the container has no mount at any more, or that can be written by a second name, as
        far as can be seen.
        """
        if not self._top:
            return set()
        lost = {
            places.path_of(pin.target, self._top, self.workspace): pin.state
            for pin in pins.look(self._mounts)
            if pin.is_lost
        }
        if self._moved_to():
            # Nothing is where they were looked for, and they may be where it is now.
            return set()
        self._linked |= {path for path, state in lost.items() if state is State.LINKED}
        return lost.keys() & {point.path for point in self.points}

    def halt(self, environ: Mapping[str, str], owner: Owner, reason: Reason) -> Halt | None:
        """Stop all processes inside, rename what they may have written, and record the halt.

        A program inside can write and end its container at once, so what it may have written is renamed then, too.

        :returns: None if nothing ran any more, and nothing had to be done
        :raises EnvironmentFailure: the engine does not stop them, or the record cannot be written
        :raises OSError: the folder of the record cannot be made
        """
        is_gone = is_killed = False
        try:
            is_killed = stop.stop(
                self._engine, self.container, self._pid, by_signal=self._by_signal
            )
        except (failures.EngineFailure, stop.Silent) as error:
            # One that was shut down took its containers along, and may never answer again.
            is_gone = isinstance(error, failures.ContainerGone) or self._has_ended()
            if not is_gone:
                is_held = isinstance(error, stop.Silent) and error.is_held
                if is_held:
                    self._put_back(self._gone())
                    self._put_aside()
                # gVisor's own kernel runs for a moment once the engine answers.
                self._is_held = is_held and self._by_signal
                raise
        # What is replaced from now on is the host's alone. What git names takes longest to find, with a large index.
        gone = self._gone()
        self._put_back(gone)
        lost = (*gone, *self._arrivals_seen(), *self._named())
        outcomes = self._put_aside()
        if is_gone and not _matters(lost, outcomes.values()):
            return None
        whats = {self._below(each.path): each.what for each in lost}
        halt = Halt(
            self.sandbox,
            self.container,
            owner,
            reason,
            time.time(),
            _entries(whats, outcomes),
            is_stopped=is_killed,
            place=self._moved_to(),
        )
        record.save(environ, halt)
        return halt

    def _put_back(self, gone: Iterable[Lost]) -> None:
        """Rename what may be from inside at each path that was exposed, while nothing runs there."""
        place = self._place()
        for point in places.exposed(self.points, gone):
            path = self._below(point.path)
            self._note(path, put_back(place, path, self._before(point.path)))

    def _put_aside(self) -> dict[str, Outcome]:
        """Rename what may be from inside where git has come to act, while nothing runs there.

        :returns: what was done at each path, this time or before
        """
        outcomes = self._set_aside(self._done)
        outcomes |= {} if self._is_held else self._set_aside_named()
        for path, outcome in outcomes.items():
            self._note(path, outcome)
        return dict(self._done)

    def _note(self, path: str, outcome: Outcome) -> None:
        if outcome.action is not Action.LEFT or path not in self._done:
            self._done[path] = outcome

    def _has_ended(self) -> bool:
        """Whether the container's first process was on this machine, and is no more."""
        return self._was_here and not host_process.is_of(self._pid, self.container)

    def complete(self, environ: Mapping[str, str], halt: Halt) -> Halt:
        """Add to a halt what the host has replaced since; it stays one halt. The new files are the host's own and are
        kept.

        A halt that was ended meanwhile is returned unchanged: its paths belong to the next container.

        :raises EnvironmentFailure: the record cannot be written
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
        if (links := self._present_links()) is None:
            return {}
        named = open_links.named(links)
        places = {
            each.path: each.at
            for each in named.entered
            if not hosts_own(links.workspace, each.kept_in, each.path)
        } | {path: path for path in named.tracked if not open_links.is_as_tracked(links, path)}
        return {
            path: set_aside(links.workspace, at) for path, at in places.items() if path not in known
        }

    def _set_aside_named(self) -> dict[str, Outcome]:
        """Put aside what may be from inside of the paths that git's config names since.

        Where nothing has run inside since the last call, what has come since is the host's own.
        """
        if (links := self._present_links()) is None:
            return {}
        planted = (
            open_links.from_inside(links, path, self._config_written)
            for path in open_links.named(links).acted_upon
        )
        return {at: set_aside(links.workspace, at) for at in dict.fromkeys(planted) if at}

    def _before(self, path: str) -> Version | None:
        if (held := self._held.get(path)) is not None:
            return held.version()
        # What was watched and could not be read is put aside as a whole.
        return None if path in self._lost_before else Version(Kind.FOLDER)

    def _below(self, path: str) -> str:
        return path.removeprefix(self.workspace.rstrip("/") + "/")


def _matters(lost: Iterable[Lost], outcomes: Iterable[Outcome]) -> bool:
    """Whether a person has to know of the loss although the container has ended: at its end we remove placeholders."""
    of_mounts = (What.REPLACED, What.REMOVED, What.LINKED)
    is_named = any(each.what not in of_mounts for each in lost)
    return is_named or any(outcome.aside or outcome.problem for outcome in outcomes)


def _entries(whats: Mapping[str, What], outcomes: Mapping[str, Outcome]) -> tuple[Entry, ...]:
    return tuple(
        Entry(path, whats.get(path), outcomes.get(path)) for path in sorted({*whats, *outcomes})
    )
