"""Halts running sandboxes when the host replaces a mounted path: two threads for each sleep until that happens.

One of them looks at the mounts alone. The other one reads what git on the host names, too, which takes the longer the
more that is, and a program inside can have it done again and again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandboxd.daemon.mount_events import MountEvents, open_events
from sandboxd.engine import failures
from sandboxd.errors import SandboxdError
from sandboxd.halt import entries, record, words
from sandboxd.halt.guard import Guard
from sandboxd.halt.record import Owner, Reason
from sandboxd.model.sandbox_id import workspace_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.daemon.hosts import Hosts
    from sandboxd.daemon.projects import EngineKey
    from sandboxd.engine.client import Engine
    from sandboxd.halt.record import Halt
    from sandboxd.ipc import messages
    from sandboxd.status.observe import Run

ONE_HALT_SECONDS = 1.0
"""Replacements that follow one another within this many seconds belong to one halt."""

_AGAIN_SECONDS = 0.2
"""Between two attempts to halt where the engine refuses."""

log = logging.getLogger(__name__)


class Halts:
    """Watches the mounts of running containers. Not thread-safe: to be used on the event loop.

    It watches each container whoever started it, also of projects that are not registered: editors start containers
    without telling anybody.
    """

    def __init__(self, hosts: Hosts, emit: Callable[[messages.Event], None]) -> None:
        self._hosts, self._emit = hosts, emit
        self._loop = asyncio.get_running_loop()
        self._runs: dict[EngineKey, Collection[Run]] = {}
        self._watched: dict[str, Watched] = {}

    def update(self, key: EngineKey, runs: Collection[Run]) -> None:
        """Watch the containers that run now on all engines; `runs` are those of the engine `key`.

        Paused ones are not watched. A container that was restarted is watched anew.
        """
        self._runs[key] = runs
        # Clients may name one engine in several ways: each of its containers is watched once.
        wanted = {run.container: (of, run) for of, runs in self._runs.items() for run in runs}
        for container, present in list(self._watched.items()):
            _, run = wanted.get(container, (None, None))
            # One that did not answer is the same run as far as anybody knows.
            is_same = run is not None and run.identity in ("", present.run.identity)
            # That it is paused now may be its own doing, and no reason to end before it is done.
            is_of_use = run is not None and (not run.is_paused or present.is_halting())
            if not is_same or not is_of_use or not present.is_alive():
                self._watched.pop(container).stop()
        for container, (of, run) in wanted.items():
            if container not in self._watched and not run.is_paused:
                self._watched[container] = self._watch(of, run)

    def _watch(self, key: EngineKey, run: Run) -> Watched:
        engine, environ = self._hosts.engine(key), self._hosts.environ(key)
        watched = Watched(run, engine, environ, lambda text: self._say(run.sandbox, text))
        watched.start()
        return watched

    def problem(self, workspace: str) -> str:
        """Why a container of a project is not watched, or only with a delay, for a person; '' where all are."""
        texts = (
            watched.problem
            for watched in self._watched.values()
            if workspace_of(watched.run.sandbox) == workspace
        )
        return next((text for text in texts if text), "")

    def close(self) -> None:
        """Stop watching all containers."""
        for watched in self._watched.values():
            watched.stop()
        self._watched.clear()

    def _say(self, identity: str, text: str) -> None:
        event: messages.Event = {"kind": "sandbox", "path": workspace_of(identity), "message": text}
        with contextlib.suppress(RuntimeError):  # the loop is closed: the daemon ends
            self._loop.call_soon_threadsafe(self._emit, event)


@dataclass
class _Look:
    """What the two threads that watch a run share, from one `Guard` to the next."""

    guard: Guard
    reason: Reason = Reason.UNWATCHED
    is_compared: bool = False
    """Whether it is known which mounts were lost before the guard was made."""
    is_over: threading.Event = field(default_factory=threading.Event)
    """Set once one of them has halted it, or it need not be watched any more."""


class Watched:
    """Watches one run of one container, in threads of its own, until it is halted or `stop` is called.

    :param say: called in one of them with a message for a person
    """

    def __init__(
        self,
        run: Run,
        engine: Engine,
        environ: Mapping[str, str],
        say: Callable[[str], None],
    ) -> None:
        self.run = run
        self.problem = ""
        """Why it is not watched, or only with a delay, for a person; '' where it is. Written in its thread."""
        self._container, self._engine, self._environ, self._say = (
            run.container,
            engine,
            environ,
            say,
        )
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._events: set[MountEvents] = set()
        self._one_halt = threading.Lock()
        self._is_halting = False
        """Whether one of the threads halts it, or has halted it."""
        self._thread = threading.Thread(target=self._run, name="mounts", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def is_halting(self) -> bool:
        """Whether it is halting the container, or waits for further replacements that belong to that halt."""
        return self._is_halting and self.is_alive()

    def stop(self) -> None:
        """Have the thread end soon."""
        self._stop.set()
        self._end_events()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._watch()
                if not self._was_resumed():
                    return
            except failures.ContainerGone:
                return
            except (OSError, SandboxdError) as error:
                self.problem = f"the daemon cannot watch its mounts: {error}"
                log.warning("cannot watch the mounts of `%s`: %s", self._container[:12], error)
            except Exception:
                self.problem = "the daemon failed to watch its mounts: `sandboxd daemon logs`"
                log.exception("watching the mounts of `%s` failed", self._container[:12])
            self._stop.wait(_AGAIN_SECONDS)

    def _was_resumed(self) -> bool:
        """Whether somebody let go on what was halted here, before `Halts` could see that it was paused.

        :raises ContainerGone: it is gone
        """
        if not self._is_halting:
            return False
        state = self._engine.inspect(self._container)["State"]
        self._is_halting = False
        return bool(state.get("Running")) and not state.get("Paused")

    def _watch(self) -> None:
        """Watch until it is halted, is gone, or need not be watched any more.

        :raises ContainerGone: it is gone
        """
        inspected = self._engine.inspect(self._container)
        with contextlib.closing(Guard(self._engine, inspected)) as guard:
            self.problem = ""
            if guard.points:
                look = _Look(guard)
                with self._beside(look):
                    self._watch_all(look)

    def _watch_all(self, look: _Look) -> None:
        """Watch the mounts and what git on the host names."""
        guard = look.guard
        with contextlib.ExitStack() as earlier:
            before: MountEvents | None = None
            while not look.is_over.is_set():
                guard.hold_again()
                with contextlib.ExitStack() as present:
                    events = present.enter_context(self._listening(look))
                    is_lost = before is not None and _caught_up(guard, before)
                    earlier.close()
                    if not look.is_compared:
                        self._compare(look)
                    is_ended = self._stop.is_set()
                    is_lost = (
                        is_lost
                        or guard.has_lost()
                        or guard.has_open_arrivals(events.origins)
                        or (not is_ended and guard.has_lost_mounts())
                    )
                    if not is_lost and not is_ended and not look.is_over.is_set():
                        events.wait(guard.next_look)
                    is_last = self._stop.is_set()
                    # At once: to listen to what git lists by now takes a moment. And once more at the end: who ends
                    # the container from inside may have written just before.
                    is_lost = is_lost or guard.has_lost() or guard.has_open_arrivals(events.origins)
                    earlier.push(present.pop_all())
                    before = events
                if is_lost:
                    self._halt(look)
                if is_lost or is_last:
                    return

    def _compare(self, look: _Look) -> None:
        """Note what was lost before it was watched."""
        guard = look.guard
        halted = record.open_halt(self._environ, guard.sandbox, guard.container)
        is_unwatched = guard.forget_lost_before(halted)
        look.reason = Reason.UNWATCHED if is_unwatched else Reason.REPLACED
        look.is_compared = True
        log.info("watching %d mounts of `%s`", len(guard.points), guard.sandbox)

    @contextlib.contextmanager
    def _beside(self, look: _Look) -> Iterator[None]:
        """Watch the mounts alone in a second thread, until the block is done."""
        # `watchfiles` asks for events all the time: two of them would be felt.
        if sys.platform != "linux":
            yield
            return
        thread = threading.Thread(target=self._watch_mounts, args=(look,), name="mounts-alone")
        thread.start()
        try:
            yield
        finally:
            look.is_over.set()
            self._end_events()
            thread.join()

    def _watch_mounts(self, look: _Look) -> None:
        """Watch the mounts alone, and halt it once one is lost."""
        guard = look.guard
        try:
            with self._registered(open_events(guard.shut_paths), look) as events:
                while not look.is_over.is_set():
                    if guard.has_gone() or (look.is_compared and guard.has_lost_mounts()):
                        self._halt(look)
                        return
                    events.wait()
        except (OSError, SandboxdError) as error:
            # The other thread looks at the mounts as well.
            self.problem = f"the daemon may see a lost mount late: {error}"
            log.warning("cannot watch the mounts of `%s` alone: %s", guard.sandbox, error)
        except Exception:
            self.problem = "the daemon failed to watch its mounts: `sandboxd daemon logs`"
            log.exception("watching the mounts of `%s` alone failed", guard.sandbox)

    @contextlib.contextmanager
    def _listening(self, look: _Look) -> Iterator[MountEvents]:
        """The events of what is mounted, and of what git on the host lists now."""
        guard = look.guard
        with self._registered(open_events(guard.shut_paths, *guard.lists()), look) as events:
            problem = events.delay and f"losses of mounts are seen {events.delay}"
            if problem and problem != self.problem:
                log.warning("`%s`: %s", guard.workspace, problem)
            self.problem = problem
            yield events

    @contextlib.contextmanager
    def _registered(self, events: MountEvents, look: _Look) -> Iterator[MountEvents]:
        """Close the events after the block, and end them when the watch is to end."""
        try:
            with self._lock:
                self._events.add(events)
            # Who stopped it before then found no events to end.
            if self._stop.is_set() or look.is_over.is_set():
                events.end()
            yield events
        finally:
            with self._lock:
                self._events.discard(events)
            events.close()

    def _end_events(self) -> None:
        with self._lock:
            for events in self._events:
                events.end()

    def _halt(self, look: _Look) -> None:
        """Halt it, again and again where the engine refuses; once, although both threads find what was lost."""
        with self._one_halt:
            if not look.is_over.is_set():
                self._halt_now(look.guard, look.reason)
            look.is_over.set()
        self._end_events()

    def _halt_now(self, guard: Guard, reason: Reason) -> None:
        self._is_halting = True
        last_error = ""
        while True:
            # Who stops the watch may do so because the container has just ended: what it wrote is put aside all the same.
            is_last = self._stop.is_set()
            try:
                halt = guard.halt(self._environ, Owner.DAEMON, reason)
            except (OSError, SandboxdError) as error:
                if last_error != (last_error := str(error)):
                    log.error("cannot halt `%s`: %s", guard.sandbox, error)
                self.problem = (
                    f"the host replaced what is shut inside, and it cannot be halted: {error}"
                )
                if is_last:
                    return
                self._stop.wait(_AGAIN_SECONDS)
                continue
            if halt is None:
                self._is_halting = False
            else:
                self._tell(self._completed(guard, halt))
            return

    def _completed(self, guard: Guard, halt: Halt) -> Halt:
        """The halt with all that the host's program replaced in the same breath."""
        while True:
            is_stopped = self._stop.wait(ONE_HALT_SECONDS)
            try:
                completed = guard.complete(self._environ, halt)
            except (OSError, SandboxdError) as error:
                log.error("the halt of `%s` is not written down whole: %s", guard.sandbox, error)
                return halt
            if is_stopped or completed == halt:
                return completed
            halt = completed

    def _tell(self, halt: Halt) -> None:
        """Say that it is halted, unless it was ended meanwhile: who did that told the halt first."""
        try:
            with record.changing(self._environ, halt.sandbox):
                if record.open_halt(self._environ, halt.sandbox, halt.container) is None:
                    return
                problem = entries.halted(self._environ, halt)
        except (OSError, SandboxdError) as error:
            problem = f"not told: {error}"
        if problem:
            log.warning("`%s` is halted, and that is %s", halt.sandbox, problem)
        text = f"its sandbox is halted: {words.describe(halt)}"
        log.warning("`%s`: %s", halt.sandbox, text)
        self._say(text)


def _caught_up(guard: Guard, before: MountEvents) -> bool:
    """Whether something came into a shut folder that may be written inside, from the last look to the next events."""
    before.catch_up()
    return guard.has_open_arrivals(before.origins)
