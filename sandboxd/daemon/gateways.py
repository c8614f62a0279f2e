"""The gateways of all running sandboxes of projects that are kept."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sandboxd.daemon.attendant import Attendant, EngineAccess, Memory
from sandboxd.daemon.memory import leave_no_core
from sandboxd.errors import SandboxdError
from sandboxd.host import addresses
from sandboxd.ipc import messages
from sandboxd.operations import gateway as operation

if TYPE_CHECKING:
    from sandboxd.daemon.hosts import Hosts
    from sandboxd.daemon.projects import EngineKey
    from sandboxd.egress.broker_wire import Credentials
    from sandboxd.egress.ledger import Ledger

_MOST_NETWORKS = 100
"""As many inner networks are made before anybody needs them: an engine's addresses and bridges are bounded.
Of further projects `up` and `generate` make one."""

_TELL_SECONDS = 0.2
"""How long news of one project are gathered before anybody hears of them."""

ADDRESSES_SECONDS = 20.0
"""How often the addresses of this machine are looked at: a VPN or another network brings new ones."""

log = logging.getLogger(__name__)


class Gateways:
    """Lives on the event loop; `find` may be called from any thread."""

    def __init__(self, hosts: Hosts, emit: Callable[[messages.Event], None]) -> None:
        self._hosts = hosts
        self._emit = emit
        self._loop = asyncio.get_running_loop()
        self._attendants: dict[str, Attendant] = {}
        self._memories: dict[str, Memory] = {}
        self._due: set[str] = set()
        self._addresses = addresses.of_process()
        self._look: asyncio.TimerHandle | None = None
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="gateway-policy")

    def update(self, workspace: str, key: EngineKey, wanted: bool) -> None:
        """Attend to the gateway of `workspace`, or not."""
        attendant = self._attendants.get(workspace)
        if attendant is not None and (not wanted or not attendant.is_alive()):
            del self._attendants[workspace]
            attendant.stop()
            attendant = None
            if not wanted:
                self._submit(self._end_unused, workspace, key, False)
        if wanted and attendant is None:
            attendant = self._attendants[workspace] = Attendant(
                workspace,
                self._access(key),
                self._memories.setdefault(workspace, Memory()),
                lambda: self._call(self._news, workspace),
                lambda text: self._call(self._failure, workspace, text),
                # What the engine's events showed of it was a gateway that had not begun.
                lambda: self._call(self._hosts.ask_again, key),
            )
            attendant.start()
        if self._attendants and self._look is None:
            self._look = self._loop.call_later(ADDRESSES_SECONDS, self._look_at_addresses)

    def refresh(self, workspace: str) -> None:
        """The config may allow other names than before: give the gateway the policy that holds now."""
        attendant = self._attendants.get(workspace)
        if attendant is not None:
            self._submit(attendant.refresh)

    def make_network(self, workspace: str, key: EngineKey, moved: Callable[[str], None]) -> None:
        """Make the network that the generated file of `workspace` names, before an editor needs it.

        :param moved: called on the event loop when it has other addresses than the file names
        """

        def make() -> None:
            environ = self._hosts.environ(key)
            try:
                if operation.wants_gateway(workspace, environ) and operation.make_network(
                    self._hosts.engine(key), workspace, environ, most=_MOST_NETWORKS
                ):
                    self._call(moved, workspace)
            except SandboxdError as error:
                log.warning("`%s`: no network for editors: %s", workspace, error.message)

        self._submit(make)

    def find(self, workspace: str) -> Attendant | None:
        """The gateway that runs for `workspace`: it takes a policy, and has a ledger.

        None also while what it told before is still read: whoever asks then asks it directly.
        """
        attendant = self._attendants.get(workspace)
        return attendant if attendant is not None and attendant.is_ready() else None

    def ledger(self, workspace: str) -> Ledger | None:
        """The record of the gateway of a running sandbox; None where none is attended to."""
        attendant = self.find(workspace)
        return attendant.ledger() if attendant is not None else None

    def keep_credentials(self, workspace: str, credentials: Credentials | None) -> None:
        """Remember what a start reads, for the next gateway of the same sandbox; None forgets it.

        May be called from any thread, before the gateway runs: what it gets then is not of before.
        """
        if credentials is not None:
            leave_no_core()
            self._memories.setdefault(workspace, Memory()).credentials = credentials
        elif (memory := self._memories.get(workspace)) is not None:
            memory.credentials = None

    def forget(self, workspace: str, key: EngineKey) -> None:
        """The project is known no more: its network goes, unless a sandbox still needs it."""
        attendant = self._attendants.pop(workspace, None)
        if attendant is not None:
            attendant.stop()
        self._memories.pop(workspace, None)
        self._submit(self._end_unused, workspace, key, True)

    def close(self) -> None:
        """Attend to none; they go on by themselves."""
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
        """A gateway never dials an address of this machine's: it is told of each that comes."""
        self._look = None
        if not self._attendants:
            return
        present = addresses.of_process()
        if present != self._addresses:
            self._addresses = present
            for workspace in self._attendants:
                self.refresh(workspace)
        self._look = self._loop.call_later(ADDRESSES_SECONDS, self._look_at_addresses)

    def _end_unused(self, workspace: str, key: EngineKey, forget: bool) -> None:
        """Remove the gateway that no sandbox has any more: an editor ends its container alone."""
        try:
            engine, environ = self._hosts.engine(key), self._hosts.environ(key)
            operation.end_unused(engine, workspace, environ, forget=forget)
        except SandboxdError as error:
            log.warning("the gateway of `%s` stays: %s", workspace, error.message)

    def _submit(self, job: Callable[..., object], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the daemon ends
            self._threads.submit(job, *arguments)

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the daemon ends
            self._loop.call_soon_threadsafe(function, *arguments)

    def _news(self, workspace: str) -> None:
        if workspace not in self._due:
            self._due.add(workspace)
            self._loop.call_later(_TELL_SECONDS, self._tell, workspace)

    def _tell(self, workspace: str) -> None:
        self._due.discard(workspace)
        ledger = self.ledger(workspace)
        if ledger is not None:
            totals = ledger.totals
            text = f"{totals.reached} connections, {totals.denied} denied, {totals.asked} asked for"
            self._emit({"kind": "network", "path": workspace, "message": text})

    def _failure(self, workspace: str, text: str) -> None:
        self._emit({"kind": "network", "path": workspace, "message": text})
