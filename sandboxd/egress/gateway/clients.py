"""The clients of a gateway in a Pod: the addresses that a name of the cluster resolves to.

A container's gateway is alone with its sandbox on a network. A Pod's network has every other Pod on it, so a
headless Service that selects the sandbox says who may ask."""

from __future__ import annotations

import asyncio
import socket

_EVERY, _AT_MOST, _WAIT, _FORGOTTEN = 5.0, 0.5, 3.0, 30.0
"""Seconds: between two looks, between two looks for a client that is not known, for which a connection waits
at most, and after which an answer counts no more when the name servers are silent."""

_NO_ADDRESS = (socket.EAI_NONAME, socket.EAI_NODATA)


class Clients:
    """The addresses of one name; no client is served before they were looked up."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str) -> None:
        """:param name: as the cluster resolves it for this Pod"""
        self._loop, self._name = loop, name
        self._addresses: frozenset[str] = frozenset()
        self._answered = self._began = float("-inf")
        self._look: asyncio.Task[None] | None = None
        self._again()

    def serves(self, address: str) -> bool:
        """Whether `address` is served, by the last look-up; a refusal makes the name be looked up again soon."""
        known = self._loop.time() - self._answered < _FORGOTTEN and address in self._addresses
        if not known and self._loop.time() - self._began >= _AT_MOST:
            self._start()
        return known

    async def admits(self, address: str) -> bool:
        """Whether the client is served, once a look-up that runs has ended."""
        if not self.serves(address) and self._look is not None:
            await asyncio.wait({self._look}, timeout=_WAIT)
        return self.serves(address)

    def _again(self) -> None:
        self._start()
        self._loop.call_later(_EVERY, self._again)

    def _start(self) -> None:
        if self._look is None:
            self._began = self._loop.time()
            self._look = self._loop.create_task(self._resolve())

    async def _resolve(self) -> None:
        try:
            # The C library reads the search domains, by which a name of the same namespace is short.
            entries = await self._loop.getaddrinfo(
                self._name, None, family=socket.AF_INET, type=socket.SOCK_STREAM
            )
            self._addresses = frozenset(str(entry[4][0]) for entry in entries)
            self._answered = self._loop.time()
        except socket.gaierror as error:
            if error.errno in _NO_ADDRESS:
                self._addresses, self._answered = frozenset(), self._loop.time()
        finally:
            self._look = None
