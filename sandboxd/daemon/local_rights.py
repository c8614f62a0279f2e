"""Serves SSH keys and ports of running sandboxes from the daemon's process, as far as each sandbox may have them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from sandboxd.daemon.forwards import Forwards
from sandboxd.daemon.rights_loop import FAULT, FailureTeller, RightsLoop
from sandboxd.daemon.ssh_agents import SshAgent
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.folders import cache_folder
from sandboxd.ipc import messages
from sandboxd.model.sandbox_id import name_of, workspace_of
from sandboxd.operations import gateway
from sandboxd.operations import local_rights as operation
from sandboxd.policy.reconcile import Given

if TYPE_CHECKING:
    from sandboxd.credentials.ssh_agent.choice import Choice
    from sandboxd.daemon.hosts import Hosts
    from sandboxd.daemon.places import Place
    from sandboxd.daemon.projects import EngineKey
    from sandboxd.model.remote import Port
    from sandboxd.policy.rights import KeyRights, PortRights
    from sandboxd.status.model import OpenPort

_OPEN_SECONDS = 5.0
_LOOK_SECONDS = 0.02

log = logging.getLogger(__name__)


class LocalRights:
    """Serves SSH keys and ports for each sandbox, by a reconciling loop for each.

    To be used on the event loop; `keep` may be called from any thread. The methods only note what happened: the loop
    then computes what the sandbox may have, and serves that.
    """

    def __init__(
        self,
        hosts: Hosts,
        emit: Callable[[messages.Event], None],
        asked_ports: Callable[[str], tuple[Port, ...] | None],
    ) -> None:
        """
        :param asked_ports: called in any thread with a workspace; returns the ports that its plan forwards to this
            machine, None where it has no plan at the moment
        """
        self._hosts, self._emit, self._asked_ports = hosts, emit, asked_ports
        self._loop = asyncio.get_running_loop()
        self._holdings: dict[Place, _Holding] = {}

    def keep(self, place: Place, container: str, choice: Choice | None) -> bool:
        """Note the SSH keys that a start chose for `container`, in place of those of an earlier start; None for no
        keys.

        :param place: where the container is (`Places.find_started`)
        :returns: always True, since a daemon serves them; without a daemon the same callback returns False
        """
        self._call(self._chose, place, container, choice)
        return True

    def update(self, place: Place, key: EngineKey, container: str) -> None:
        """Note which container of a sandbox runs now on the engine of `place`.

        :param key: by which that engine is reached
        :param container: its id, '' for none
        """
        if container or place in self._holdings:
            holding = self._of(place)
            holding.runs(key, container)
            if holding.is_idle():
                self._holdings.pop(place).close()

    def refresh(self, workspace: str) -> None:
        """Compute anew what a project's sandboxes may have, since its config changed."""
        for place, holding in self._holdings.items():
            if place.workspace == workspace:
                holding.wake()

    def refresh_all(self) -> None:
        """Compute anew what all sandboxes may have, since a policy, a grant or a record changed."""
        for holding in self._holdings.values():
            holding.wake()

    def lines(self, place: Place) -> tuple[str, ...]:
        """A line for a person on each forwarded port of a sandbox: its URL on this machine, or why it has none."""
        forwards = self._forwards(place)
        return forwards.lines() if forwards is not None else ()

    def open_ports(self, place: Place) -> tuple[OpenPort, ...]:
        """The ports of a sandbox that are forwarded now."""
        forwards = self._forwards(place)
        return forwards.open_ports() if forwards is not None else ()

    def wait(self, place: Place, ports: tuple[Port, ...]) -> tuple[str, ...]:
        """The `lines` of a sandbox that was just started, once each of `ports` is open or known not to be possible.

        Blocks, so it must be called in a thread; () if that takes too long.
        """
        deadline = time.monotonic() + _OPEN_SECONDS
        while time.monotonic() < deadline:
            forwards = self._forwards(place)
            if forwards is not None and forwards.has_tried(ports):
                return forwards.lines()
            time.sleep(_LOOK_SECONDS)
        return ()

    def forget(self, workspace: str) -> None:
        """Stop serving the sandboxes of a project that is no longer registered."""
        for place in [each for each in self._holdings if each.workspace == workspace]:
            self._holdings.pop(place).close()

    def close(self) -> None:
        """Stop serving all sandboxes."""
        for holding in self._holdings.values():
            holding.close()
        self._holdings.clear()

    def _forwards(self, place: Place) -> Forwards | None:
        holding = self._holdings.get(place)
        return holding.forwards if holding is not None else None

    def _chose(self, place: Place, container: str, choice: Choice | None) -> None:
        if choice is not None or place in self._holdings:
            self._of(place).chose(container, choice)

    def _of(self, place: Place) -> _Holding:
        if place not in self._holdings:
            self._holdings[place] = _Holding(
                place.sandbox, self._hosts, self._say, self._asked_ports
            )
        return self._holdings[place]

    def _say(self, sandbox: str, text: str) -> None:
        event: messages.Event = {"kind": "network", "path": workspace_of(sandbox), "message": text}
        self._call(self._emit, event)

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the daemon ends
            self._loop.call_soon_threadsafe(function, *arguments)


class _Holding:
    """What the daemon serves to one sandbox; the loop calls it as a `operations.local_rights.Holder`."""

    def __init__(
        self,
        sandbox: str,
        hosts: Hosts,
        say: Callable[[str, str], None],
        asked_ports: Callable[[str], tuple[Port, ...] | None],
    ) -> None:
        self._sandbox, self._hosts, self._asked_ports = sandbox, hosts, asked_ports
        self._tell = say
        self._lock = threading.Lock()
        self._running: tuple[EngineKey, str] | None = None
        self._started: tuple[str, Choice] | None = None
        """The container that the last start named, and the keys that it chose."""
        self._agent: SshAgent | None = None
        self.forwards: Forwards | None = None
        """The ports that are open, of the sandbox without a name; None for none."""
        self._last_forwards: Forwards | None = None
        self._is_closed = False
        self._lacking = frozenset[str]()
        self._failure = FailureTeller(self._say)
        self._rights = RightsLoop(self._act)
        self._rights.start()

    def runs(self, key: EngineKey, container: str) -> None:
        """Note which container runs now, by its id; '' for none."""
        with self._lock:
            self._running = (key, container) if container else None
        self.wake()

    def chose(self, container: str, choice: Choice | None) -> None:
        """Note the keys and hosts that a start chose; None for none."""
        with self._lock:
            self._started = (container, choice) if choice is not None else None
            self._lacking = frozenset()
        self.wake()

    def is_idle(self) -> bool:
        """Whether no container runs, and no start has chosen keys that a later one could use."""
        with self._lock:
            return self._running is None and self._started is None

    def wake(self) -> None:
        """Have the loop reconcile soon."""
        self._rights.wake()

    def close(self) -> None:
        """End the loop, and stop serving."""
        with self._lock:
            self._is_closed = True
        self._rights.stop()
        self.take_keys()
        self._end_forwards()

    def given(self) -> Given:
        """The keys and ports that are served now, and the keys that the last start chose."""
        with self._lock:
            agent, started, forwards = self._agent, self._started, self.forwards
        keys = agent.rights if agent is not None else None
        ports = forwards.rights if forwards is not None else None
        if started is None:
            return Given(keys=keys, ports=ports)
        if agent is not None and agent.choice != started[1]:
            # The same words, but another agent of the user, or other keys of the hosts: none of it may stay.
            keys = agent.rights.within(())
        return Given(started=started[0], chosen=started[1].words, keys=keys, ports=ports)

    def take_keys(self) -> None:
        """Stop serving keys."""
        with self._lock:
            agent, self._agent = self._agent, None
        if agent is not None:
            agent.stop()

    def end_logins(self) -> None:
        """End the SSH logins that go by the sandbox's gateway; what cannot be read now its attendant says."""
        with self._lock:
            running = self._running
        if running is not None:
            engine, environ = self._hosts.engine(running[0]), self._hosts.environ(running[0])
            with contextlib.suppress(UsageError):
                gateway.follow(engine, self._sandbox, environ, ends_logins=True)

    def give_keys(self, rights: KeyRights) -> None:
        """Serve the keys in `rights`, unless they belong to a start that is no longer the last one."""
        with self._lock:
            running, started = self._running, self._started
        if running is None or started is None or started[0] != rights.container:
            return
        engine, environ = self._hosts.engine(running[0]), self._hosts.environ(running[0])
        with self._lock:
            if (running, started) == (self._running, self._started) and not self._is_closed:
                self._agent = SshAgent(
                    self._sandbox, engine, environ, started[1], rights, self._say
                )

    def asked_ports(self) -> tuple[Port, ...] | None:
        """The ports that the project's plan forwards to this machine; None where it has no plan at the moment.

        () for a named sandbox, whose ports are not forwarded.
        """
        return () if name_of(self._sandbox) else self._asked_ports(self._sandbox)

    def close_ports(self, ports: tuple[Port, ...]) -> None:
        """Stop forwarding `ports`; the others are opened again."""
        rights = self._end_forwards()
        if rights is not None and (rest := rights.without(ports)):
            self.open_ports(rest)

    def open_ports(self, rights: PortRights) -> None:
        """Forward the ports in `rights`, unless their container no longer runs."""
        self._end_forwards()
        with self._lock:
            running = self._running
        if running is None or running[1] != rights.container:
            return
        engine, environ = self._hosts.engine(running[0]), self._hosts.environ(running[0])
        with self._lock:
            if running == self._running and not self._is_closed:
                self.forwards = self._last_forwards = Forwards(
                    self._sandbox, engine, rights, cache_folder(environ), self._last_forwards
                )

    def _end_forwards(self) -> PortRights | None:
        with self._lock:
            forwards, self.forwards = self.forwards, None
        if forwards is None:
            return None
        forwards.stop()
        return forwards.rights

    def lacks(self, words: frozenset[str], why: str) -> None:
        """Tell the user once which of the chosen keys and hosts are not served.

        :param words: those that are not served, as `Choice.words`
        :param why: the reason, for a person
        """
        with self._lock:
            started, before = self._started, self._lacking
            self._lacking = words
        if words and words != before and started is not None:
            part = (
                "its SSH keys are"
                if words == started[1].words
                else "some of its SSH keys and hosts are"
            )
            self._say(f"{part} taken back: {why}")

    def _say(self, text: str) -> None:
        self._tell(self._sandbox, text)

    def _act(self) -> float:
        """Make what is held what the sandbox may have; no part of that ends by the clock.

        :raises EnvironmentFailure: that is not possible, maybe for a moment only
        """
        with self._lock:
            running = self._running
        environ = self._hosts.environ(running[0]) if running is not None else {}
        try:
            operation.follow(self._sandbox, running[1] if running else "", environ, self)
            self._failure.succeeded()
        except EnvironmentFailure as error:
            self._failure.failed(f"it has not what it may have now: {error.message}")
            raise
        except Exception:
            # Who cannot say what is allowed allows nothing.
            self.take_keys()
            self._failure.failed(f"its SSH keys are taken back: {FAULT}")
            raise
        return 0.0
