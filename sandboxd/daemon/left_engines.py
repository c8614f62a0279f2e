"""Follows the engines on which sandboxes still have something, though no client has named them, until nothing is left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from sandboxd.errors import SandboxdError
from sandboxd.operations.given_records import forget_ended
from sandboxd.state import given_rights

if TYPE_CHECKING:
    from sandboxd.daemon.hosts import Hosts
    from sandboxd.daemon.projects import EngineKey
    from sandboxd.daemon.threads import Threads
    from sandboxd.engine.contexts import Identity
    from sandboxd.state.given_rights import Entry

CHECK_SECONDS = 60.0
"""Seconds between two looks at whether something is left."""

LONGEST_PAUSE = 600.0
"""Seconds between two tries to reach such an engine: each is a login where that is by ssh, and nobody waits for it."""

log = logging.getLogger(__name__)


class LeftEngines:
    """To be used on the event loop; files are read, and engines asked, in `threads`."""

    def __init__(self, hosts: Hosts, environ: Mapping[str, str], threads: Threads) -> None:
        self._hosts, self._environ, self._threads = hosts, environ, threads

    async def take_up(self, keys: Collection[EngineKey]) -> None:
        """Follow each engine that has a record of something given.

        :param keys: those of registered projects, of which one is used if it leads to the same engine: nobody is asked
            twice
        """
        known = {self._hosts.address(key): key for key in (*keys, self._hosts.key({}))}
        for record in await self._records():
            if record.engine is None:
                continue
            address = record.engine.address
            if address not in known:
                known[address] = self._key(record.engine)
            key = known[address]
            self._hosts.follow(key, 0.0 if key in keys else LONGEST_PAUSE)

    async def check_for_ever(self) -> None:
        """Check every `CHECK_SECONDS`, until cancelled."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            await self.check()

    async def check(self) -> None:
        """Remove the records whose container is gone, and follow no engine any more that has none."""
        unnamed = self._hosts.unnamed()
        records = await self._records() if unnamed else ()
        for key in unnamed:
            address = self._hosts.address(key)
            own = [r for r in records if r.engine is not None and r.engine.address == address]
            if self._hosts.is_current(key):
                own = [each for each in own if not await self._threads.run(self._ended, key, each)]
            # A client may have named it meanwhile.
            if not own and key in self._hosts.unnamed():
                log.info("nothing is left on the engine `%s`, which is followed no longer", address)
                self._hosts.drop(key)

    async def _records(self) -> tuple[Entry, ...]:
        """The records of engines that are not gone."""
        records = await self._threads.run(given_rights.entries, self._environ)
        return tuple(each for each in records if not each.is_gone)

    def _ended(self, key: EngineKey, record: Entry) -> bool:
        """Remove the record of a container that is gone; False where it is there, or that is not known."""
        try:
            return forget_ended(self._hosts.engine(key), self._hosts.environ(key), record)
        except SandboxdError as error:
            log.info("`%s`: %s", record.sandbox, error.message)
            return False

    def _key(self, engine: Identity) -> EngineKey:
        """The key of an engine by the name that clients use, if that still leads to it."""
        named = {} if engine.context is None else {"DOCKER_CONTEXT": engine.context}
        by_name = self._hosts.key({**named, "DOCKER_CONFIG": engine.config})
        is_same = self._hosts.address(by_name) == engine.address
        return by_name if is_same else self._hosts.key(engine.variables())
