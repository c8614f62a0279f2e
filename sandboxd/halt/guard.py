"""Compares the mounts of one running sandbox with what is at their host paths, and halts it when one was lost."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from sandboxd.engine import failures
from sandboxd.halt import points as places
from sandboxd.halt import record, stop
from sandboxd.halt.arrivals import AGAIN_SECONDS, Arrivals
from sandboxd.halt.mounts import Mounts
from sandboxd.halt.points import Guards, Lost, What
from sandboxd.halt.put_back import put_back, set_aside
from sandboxd.halt.record import Entry, Halt, Owner, Reason
from sandboxd.halt.verdict import Action
from sandboxd.model.labels import PROJECT
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.observe import hard_links, host_process, open_links, outside, pins
from sandboxd.plan.acting import is_of_version_control, lies_in_version_control
from sandboxd.plan.entrances import hosts_own

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.halt.arrivals import Origins
    from sandboxd.halt.put_back import Outcome
    from sandboxd.model.engine_answers import Inspected
    from sandboxd.observe.open_links import Watch


class Guard:
    """Tells what the host's acts opened in a running container, and halts it.

    `has_gone` and `has_lost_mounts` may be asked in a second thread.

    :param inspected: the engine's present description of the container
    """

    def __init__(self, engine: Engine, inspected: Inspected) -> None:
        labels = (inspected.get("Config") or {}).get("Labels") or {}
        self.sandbox = labels.get(PROJECT) or ""
        self.workspace = workspace_of(self.sandbox)
        self.container = inspected["Id"]
        subject = pins.subject(inspected)
        self._mounts = Mounts(inspected, self.workspace, subject)
        self.points = self._mounts.points
        self._links = subject.links
        self._engine = engine
        self._pid = inspected["State"].get("Pid") or 0
        self._was_here = host_process.is_of(self._pid, self.container)
        self._by_signal = outside.look(engine, inspected).shares_kernel
        self._done: dict[str, Outcome] = {}
        """What a halt did at each path, also one that the engine has not carried out yet."""
        self._is_held = False
        """Whether nothing inside has run since all was put in order, although no engine answered."""
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

    @property
    def shut_paths(self) -> set[str]:
        """The paths on the host whose replacement, or second name, opens something."""
        return {*(point.path for point in self.points), *self.shut_files}

    def _shut_folders(self) -> Iterator[str]:
        for point in self.points:
            if point.guards is Guards.ALL and not is_of_version_control(point.path):
                yield point.path
        hooks = os.path.join(self._links.git.common, "hooks") if self._links is not None else ""
        if hooks.startswith(f"{self.workspace}/"):
            yield hooks

    def hold_again(self) -> None:
        """Hold open what could not be read when this object was made."""
        self._mounts.hold_again()

    def close(self) -> None:
        """Close the files and folders that are held open."""
        self._mounts.close()

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
        return bool(self._mounts.gone() or self._named())

    def has_gone(self) -> bool:
        """Whether something else is at a mount point by now, or nothing; it takes no longer the more git on the host lists."""
        return bool(self._mounts.gone())

    def has_lost_mounts(self) -> bool:
        """The same, by the container's own mount table, too: for what was lost since `forget_lost_before`."""
        return self._mounts.has_lost_in_table()

    def forget_lost_before(self, halted: Halt | None) -> bool:
        """Compare with the container's own mount table; returns whether mounts were lost before this object was made.

        The host may not have written what is at their paths now, so these paths count as lost from now on.

        :param halted: the halt of this container that somebody undid without ending it, as by a command of the engine
        """
        self._mounts.forget_lost_before(halted.at if halted is not None else None)
        return bool(self.lost())

    def lost(self) -> tuple[Lost, ...]:
        """The mounts that were lost, and paths that git on the host names by now and that have no mount; () for
        neither.

        A mount is lost when another file than at the time of this object's creation is at its path, or none.
        """
        return (*self._mounts.gone(), *self._arrivals_seen(), *self._named())

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
        links = self._present_links()
        named = open_links.named(links)
        return (
            *(Lost(path, What.LINKED) for path in open_links.with_second_names(links, named.files)),
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

    def _place(self) -> str:
        return self._mounts.moved_to() or self.workspace

    def _present_links(self) -> Watch | None:
        return self._links and open_links.moved(self._links, self._place())

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
                    self._put_back(self._mounts.gone())
                    self._put_aside()
                # gVisor's own kernel runs for a moment once the engine answers.
                self._is_held = is_held and self._by_signal
                raise
        # What is replaced from now on is the host's alone. What git names takes longest to find, with a large index.
        gone = self._mounts.gone()
        self._put_back(gone)
        halt = self._described(gone, owner, reason, is_stopped=is_killed)
        if gone and not is_gone:
            # What would resume it must find that out before all that git lists is read.
            record.save(environ, halt)
        lost = (*gone, *self._arrivals_seen(), *self._named())
        outcomes = self._put_aside()
        if is_gone and not _matters(lost, outcomes.values()):
            return None
        halt = self._described(lost, owner, reason, is_stopped=is_killed)
        record.save(environ, halt)
        return halt

    def _described(
        self, lost: Iterable[Lost], owner: Owner, reason: Reason, *, is_stopped: bool
    ) -> Halt:
        """The halt with what was done until now."""
        whats = {self._below(each.path): each.what for each in lost}
        return Halt(
            self.sandbox,
            self.container,
            owner,
            reason,
            time.time(),
            _entries(whats, self._done),
            is_stopped=is_stopped,
            place=self._mounts.moved_to(),
        )

    def _put_back(self, gone: Iterable[Lost]) -> None:
        """Rename what may be from inside at each path that was exposed, while nothing runs there."""
        place = self._place()
        for point in places.exposed(self.points, gone):
            path = self._below(point.path)
            self._note(path, put_back(place, path, self._mounts.before(point.path)))

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
            open_links.from_inside(links, path) for path in open_links.named(links).acted_upon
        )
        return {at: set_aside(links.workspace, at) for at in dict.fromkeys(planted) if at}

    def _below(self, path: str) -> str:
        return path.removeprefix(self.workspace.rstrip("/") + "/")


def _matters(lost: Iterable[Lost], outcomes: Iterable[Outcome]) -> bool:
    """Whether a person has to know of the loss although the container has ended: at its end we remove placeholders."""
    of_mounts = (What.REPLACED, What.REMOVED, What.LINKED)
    is_named = any(each.what not in of_mounts or _is_kept(each) for each in lost)
    return is_named or any(outcome.aside or outcome.problem for outcome in outcomes)


def _is_kept(lost: Lost) -> bool:
    """Whether what may have been written there stays there: git's own files are left as they are."""
    return lost.what is What.LINKED and lies_in_version_control(lost.path)


def _entries(whats: Mapping[str, What], outcomes: Mapping[str, Outcome]) -> tuple[Entry, ...]:
    return tuple(
        Entry(path, whats.get(path), outcomes.get(path)) for path in sorted({*whats, *outcomes})
    )
