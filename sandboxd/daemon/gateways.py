"""The gateways of all running sandboxes of kept projects."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sandboxd.daemon.attendant import Attendant, EngineAccess
from sandboxd.daemon.gateway_memory import Memory
from sandboxd.egress.gateway.process_limits import leave_no_core
from sandboxd.errors import SandboxdError
from sandboxd.host import addresses
from sandboxd.ipc import messages
from sandboxd.operations import gateway as operation
from sandboxd.operations import gateway_start

if TYPE_CHECKING:
    from sandboxd.daemon.hosts import Hosts
    from sandboxd.daemon.places import Place
    from sandboxd.daemon.projects import EngineKey
    from sandboxd.egress.broker_wire import Credentials
    from sandboxd.egress.ledger import Ledger

_MOST_NETWORKS = 100
"""The most inner networks that are made before anybody needs them, since an engine has few addresses and bridges. For
further projects `up` and `generate` make one."""

_TELL_SECONDS = 0.2
"""Seconds that news of one project are gathered before anybody hears of them."""

ADDRESSES_SECONDS = 20.0
"""Seconds between two checks of this machine's addresses, which a VPN or another network changes."""

log = logging.getLogger(__name__)


class Gateways:
    """Supervises the gateways of running sandboxes, on each engine, each by an `Attendant`.

    To be used on the event loop; `find` and `keep_credentials` may be called from any thread.
    """

    def __init__(self, hosts: Hosts, emit: Callable[[messages.Event], None]) -> None:
        self._hosts = hosts
        self._emit = emit
        self._loop = asyncio.get_running_loop()
        self._attendants: dict[Place, Attendant] = {}
        self._memories: dict[Place, Memory] = {}
        self._keys: dict[Place, EngineKey] = {}
        """The key by which each place was reached last."""
        self._due: set[Place] = set()
        self._addresses = addresses.of_process()
        self._look: asyncio.TimerHandle | None = None
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="gateway-network")

    def update(self, place: Place, key: EngineKey, container: str) -> None:
        """Begin or end the supervision of the gateway of the sandbox at `place`.

        :param key: by which its engine is reached
        :param container: the id of its container; '' if there is none, or it has no gateway
        """
        wanted = bool(container)
        attendant, is_moved = self._attendants.get(place), self._keys.get(place) != key
        self._keys[place] = key
        if wanted:
            self._memories.setdefault(place, Memory()).container = container
        if attendant is not None and (not wanted or is_moved or not attendant.is_alive()):
            del self._attendants[place]
            attendant.stop()
            attendant = None
            if not wanted:
                self._submit(self._end_unused, place.sandbox, key, False)
        if wanted and attendant is None:
            attendant = self._attendants[place] = Attendant(
                place.sandbox,
                self._access(key),
                self._memories[place],
                lambda: self._call(self._news, place),
                lambda text: self._call(self._failure, place, text),
                # The facts from the engine's events are of a gateway that had not begun yet.
                lambda: self._call(self._hosts.ask_again, key),
            )
            attendant.start()
        if self._attendants and self._look is None:
            self._look = self._loop.call_later(ADDRESSES_SECONDS, self._look_at_addresses)

    def refresh(self, workspace: str) -> None:
        """Have the gateways of a project's sandboxes enforce the present policy, on whichever engine they run: its
        config changed.
        """
        for place, attendant in self._attendants.items():
            if place.workspace == workspace:
                attendant.wake()

    def refresh_all(self) -> None:
        """Have the gateways of all sandboxes enforce the present policy, whether or not their projects were looked at: a
        policy, a grant or a record changed, or an address of this machine.
        """
        for attendant in self._attendants.values():
            attendant.wake()

    def make_network(self, workspace: str, key: EngineKey, moved: Callable[[str], None]) -> None:
        """Make the network that the generated file of `workspace` names, before an editor needs it. Returns at once.

        :param moved: called on the event loop with the workspace if the network has other addresses than the file
            names
        """

        def make() -> None:
            environ = self._hosts.environ(key)
            try:
                if gateway_start.wants_gateway(workspace, environ) and gateway_start.make_network(
                    self._hosts.engine(key), workspace, environ, most=_MOST_NETWORKS
                ):
                    self._call(moved, workspace)
            except SandboxdError as error:
                log.warning("`%s`: no network for editors: %s", workspace, error.message)

        self._submit(make)

    def find(self, place: Place) -> Attendant | None:
        """The attendant of a running sandbox's gateway; None where there is none.

        Also None until the attendant has read the gateway's earlier events: the caller then asks the gateway directly.
        """
        attendant = self._attendants.get(place)
        return attendant if attendant is not None and attendant.is_ready() else None

    def ledger(self, place: Place) -> Ledger | None:
        """The attempts that the gateway of a sandbox has recorded; None where `find` returns None."""
        attendant = self.find(place)
        return attendant.ledger() if attendant is not None else None

    def behind(self, place: Place) -> str:
        """Why the gateway of a sandbox may still allow more than it should, for a person; '' where it does not."""
        attendant = self._attendants.get(place)
        return attendant.behind if attendant is not None else ""

    def shut(self, place: Place) -> str:
        """Why the gateway of a sandbox lets nothing through, for a person; '' where it does as its config says."""
        attendant = self._attendants.get(place)
        return attendant.shut if attendant is not None else ""

    def keep_credentials(
        self, place: Place, container: str, credentials: Credentials | None
    ) -> None:
        """Store the credentials that the start of `container` read, for later gateways of it; None removes the stored
        ones.

        May be called from any thread.

        :param place: where the container is (`Places.find_started`)
        """
        if credentials is not None:
            leave_no_core()
            self._memories.setdefault(place, Memory()).keep_credentials(container, credentials)
        elif (memory := self._memories.get(place)) is not None:
            memory.keep_credentials("", None)

    def forget(self, workspace: str, key: EngineKey) -> None:
        """Remove the networks of a project that is no longer registered, except those that a sandbox still needs.

        :param key: of the engine that the project was registered for
        """
        known = {*self._attendants, *self._memories, *self._keys}
        unused = {(workspace, key)}
        for place in (each for each in known if each.workspace == workspace):
            attendant = self._attendants.pop(place, None)
            if attendant is not None:
                attendant.stop()
            self._memories.pop(place, None)
            unused.add((place.sandbox, self._keys.pop(place, key)))
        for sandbox, of in unused:
            self._submit(self._end_unused, sandbox, of, True)

    def close(self) -> None:
        """End all supervision; the gateways keep running."""
        for attendant in self._attendants.values():
            attendant.stop()
        self._attendants.clear()
        if self._look is not None:
            self._look.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _access(self, key: EngineKey) -> EngineAccess:
        return EngineAccess(
            lambda: self._hosts.engine(key),
            lambda: self._hosts.environ(key),
        )

    def _look_at_addresses(self) -> None:
        """Tell gateways of new addresses of this machine: they never dial one."""
        self._look = None
        if not self._attendants:
            return
        present = addresses.of_process()
        if present != self._addresses:
            self._addresses = present
            self.refresh_all()
        self._look = self._loop.call_later(ADDRESSES_SECONDS, self._look_at_addresses)

    def _end_unused(self, sandbox: str, key: EngineKey, forget: bool) -> None:
        """Remove a gateway that no sandbox uses any more: an editor ends its container alone."""
        try:
            engine, environ = self._hosts.engine(key), self._hosts.environ(key)
            operation.end_unused(engine, sandbox, environ, forget=forget)
        except SandboxdError as error:
            log.warning("the gateway of `%s` stays: %s", sandbox, error.message)

    def _submit(self, job: Callable[..., object], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the daemon ends
            self._threads.submit(job, *arguments)

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the daemon ends
            self._loop.call_soon_threadsafe(function, *arguments)

    def _news(self, place: Place) -> None:
        if place not in self._due:
            self._due.add(place)
            self._loop.call_later(_TELL_SECONDS, self._tell, place)

    def _tell(self, place: Place) -> None:
        self._due.discard(place)
        ledger = self.ledger(place)
        if ledger is not None:
            totals = ledger.totals
            text = f"{totals.reached} connections, {totals.denied} denied, {totals.asked} asked for"
            self._emit({"kind": "network", "path": place.workspace, "message": text})

    def _failure(self, place: Place, text: str) -> None:
        self._emit({"kind": "network", "path": place.workspace, "message": text})
