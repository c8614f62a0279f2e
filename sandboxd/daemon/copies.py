"""Keeps the copies of workspaces in running sandboxes the same as the host's folders, each by a session in threads of its
own.

An idle session waits for events of the system and costs nothing. A session that fails begins anew: both sides are then
compared with what the journal says.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.life import synced_copy
from sandboxd.sync import last_state
from sandboxd.sync.engine import Ask, Event, Note, Say, Show
from sandboxd.sync.place import place_of
from sandboxd.sync.remote import Ended
from sandboxd.sync.session import Session
from sandboxd.sync.watched import WatchedSide

if TYPE_CHECKING:
    from sandboxd.daemon.hosts import Hosts
    from sandboxd.daemon.places import Place
    from sandboxd.daemon.projects import EngineKey
    from sandboxd.status.observe import Sandbox
    from sandboxd.sync.record import Record

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
"""The pauses in seconds before a session that failed begins anew, each twice as long as the one before."""
_END_SECONDS = 5.0

log = logging.getLogger(__name__)


class Copies:
    """The sessions of all running sandboxes. To be used on the event loop, except for `settle`."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._copies: dict[Place, _Copy] = {}

    def update(self, place: Place, key: EngineKey, sandbox: Sandbox | None) -> None:
        """Begin or end the session of a sandbox: it runs while the sandbox does.

        :param key: by which the engine of `place` is reached
        :param sandbox: its present state; None where it is gone
        """
        copy = self._record(place, key, sandbox)
        present = self._copies.get(place)
        if copy is None or sandbox is None:
            self._end(place)
        elif present is None or not present.is_of(key, copy, sandbox.identity):
            self._end(place)
            self._copies[place] = _Copy(self._hosts, place.sandbox, key, copy, sandbox.identity)

    def has(self, place: Place) -> bool:
        """Whether the sandbox at `place` has a copy that is kept the same."""
        return place in self._copies

    def settle(self, place: Place, seconds: float) -> str | None:
        """Have the session of a sandbox compare both sides; may be called from any thread.

        :returns: why they are not the same, '' where they are; None if no session compared them within `seconds`
        """
        copy = self._copies.get(place)
        return copy.settle(seconds) if copy is not None else None

    def forget(self, workspace: str) -> None:
        """End the sessions of all sandboxes of a project."""
        for place in [each for each in self._copies if each.workspace == workspace]:
            self._end(place)

    def close(self) -> None:
        """End all sessions; one that changes something at this moment goes on for a few seconds at most."""
        every = list(self._copies.values())
        for copy in every:
            copy.end()
        self._copies.clear()
        for copy in every:
            copy.join(_END_SECONDS)

    def _record(self, place: Place, key: EngineKey, sandbox: Sandbox | None) -> Record | None:
        if sandbox is None or not sandbox.running or sandbox.paused:
            return None
        return synced_copy.record_of(self._hosts.environ(key), place.sandbox, sandbox.id)

    def _end(self, place: Place) -> None:
        copy = self._copies.pop(place, None)
        if copy is not None:
            copy.end()


class _Copy:
    """One copy, kept the same by a thread until `end` is called."""

    def __init__(
        self, hosts: Hosts, sandbox: str, key: EngineKey, copy: Record, identity: str
    ) -> None:
        self._hosts, self._sandbox = hosts, sandbox
        self._key, self._record, self._identity = key, copy, identity
        self._place = place_of(hosts.environ(key), sandbox)
        self._is_ended = threading.Event()
        self._session: Session | None = None
        self._pause = _FIRST_PAUSE
        self._trouble = ""
        self._thread = threading.Thread(target=self._run, name="copy", daemon=True)
        self._thread.start()

    def is_of(self, key: EngineKey, copy: Record, identity: str) -> bool:
        """Whether it keeps this copy in this run of its container, reached in this way."""
        return (self._key, self._record, self._identity) == (key, copy, identity)

    def settle(self, seconds: float) -> str | None:
        """As `Copies.settle`."""
        session = self._session
        report = session.settle(seconds) if session is not None else None
        return last_state.problem_of(report) if report is not None else None

    def end(self) -> None:
        """End soon."""
        self._is_ended.set()
        session = self._session
        if session is not None:
            session.end()

    def join(self, seconds: float) -> None:
        """Wait for its end."""
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._is_ended.is_set():
            try:
                self._keep_once()
            except (Ended, OSError, SandboxdError) as error:
                self._note(error.message if isinstance(error, SandboxdError) else str(error))
            except Exception as error:
                log.exception("keeping the copy of `%s` the same failed", self._sandbox)
                self._note(f"a fault of sandboxd's, which is in the daemon's log: {error!r}")
            self._session = None
            self._is_ended.wait(self._pause)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def _keep_once(self) -> None:
        """Keep both sides the same until `end` is called.

        :raises Ended: the program inside ended
        :raises EnvironmentFailure: the container cannot be used
        """
        session: Session | None = None

        def put(event: Event) -> None:
            if session is not None:
                session.put(event)

        environ = self._hosts.environ(self._key)
        engine = self._hosts.engine(self._key)
        with synced_copy.opened(engine, environ, self._sandbox, self._record, put) as both:
            self._session = session = Session(both.pair, self._tell)
            assert isinstance(both.host, WatchedSide)
            loops = (both.inside.hearing, both.host.hearing)
            threads = [
                threading.Thread(target=each.run, name="copy", daemon=True) for each in loops
            ]
            if self._is_ended.is_set():
                return
            for thread in threads:
                thread.start()
            try:
                session.run()
            finally:
                for each in loops:
                    each.end()
                for thread in threads:
                    thread.join()

    def _tell(self, news: Ask | Say | Note | Show) -> None:
        if isinstance(news, Note):
            log.info("the copy of `%s`: %s", self._sandbox, news.words)
        elif isinstance(news, Say):
            self._note(news.words)
        elif isinstance(news, Show):
            self._pause = _FIRST_PAUSE
            state = last_state.of_report(self._record.container, news.report)
            self._log(state.problem)
            for path, _ in state.conflicts.paths[: len(news.report.conflicts)]:
                log.warning("`%s`: both sides changed a file: `%s`", self._sandbox, path)
            self._write(state)

    def _note(self, words: str) -> None:
        """Have a problem seen: in the log, and in what `status` reads."""
        self._log(words)
        before = last_state.read(self._place)
        container = self._record.container
        if before is None or before.container != container:
            before = last_state.LastState(container, 0.0)
        self._write(before._replace(problem=words))

    def _log(self, problem: str) -> None:
        if problem and problem != self._trouble and not self._is_ended.is_set():
            log.warning("the copy of `%s`: %s", self._sandbox, problem)
        self._trouble = problem

    def _write(self, state: last_state.LastState) -> None:
        try:
            last_state.write(self._place, state)
        except (OSError, EnvironmentFailure) as error:
            log.warning("the state of the copy of `%s` cannot be written: %s", self._sandbox, error)
