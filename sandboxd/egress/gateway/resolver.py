"""Asks this container's name servers for addresses, and only for names that are to be dialled."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import secrets
import socket
from collections import OrderedDict
from typing import NamedTuple

from sandboxd.egress.gateway import dns
from sandboxd.egress.gateway.sockets import to_device

_TRY_SECONDS, _TRIES = (1.5, 2.5, 3.5, 3.5), 4
_MOST_KEPT, _LONGEST_KEPT, _FAILURE_KEPT, _AT_ONCE = 2048, 300, 2, 64


class NoServer(OSError):
    """No name server answered."""


class _Entry(NamedTuple):
    until: float
    addresses: tuple[str, ...]


class Resolver:
    """Caches answers for their lifetime; equal questions at one time share one answer."""

    def __init__(self, servers: list[str], interface: str, ipv6: bool) -> None:
        """:param interface: that of the default route; a server on loopback is the engine's and is not bound to it"""
        addresses = []
        for text in servers:
            with contextlib.suppress(ValueError):
                addresses.append(ipaddress.ip_address(text))
        self._servers = [each for each in addresses if each.version == 4 or ipv6]
        self._interface, self._ipv6 = interface, ipv6
        self._cache: OrderedDict[tuple[str, int], _Entry] = OrderedDict()
        self._asked: dict[str, asyncio.Task[tuple[str, ...]]] = {}
        self._limit = asyncio.Semaphore(_AT_ONCE)

    async def addresses(self, name: str) -> tuple[str, ...]:
        """The addresses of `name`, IPv4 first; () where it has none.

        :raises NoServer: no server answered in time
        """
        task = self._asked.get(name)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._both(name))
            self._asked[name] = task
            task.add_done_callback(lambda done: self._over(name, done))
        return await asyncio.shield(task)

    async def has_only_ipv6(self, name: str) -> bool:
        """Whether `name`, which has no usable address, has addresses that the gateway cannot use.

        :raises NoServer: no server answered in time
        """
        return not self._ipv6 and bool(await self._one(name, dns.AAAA))

    def _over(self, name: str, task: asyncio.Task[tuple[str, ...]]) -> None:
        self._asked.pop(name, None)
        if not task.cancelled():
            task.exception()  # whoever still waits has it

    async def _both(self, name: str) -> tuple[str, ...]:
        if not self._ipv6:
            return await self._one(name, dns.A)
        both = await asyncio.gather(
            self._one(name, dns.A), self._one(name, dns.AAAA), return_exceptions=True
        )
        answers = [answer for answer in both if not isinstance(answer, BaseException)]
        if not answers:
            raise NoServer("no name server answered")
        return tuple(address for answer in answers for address in answer)

    async def _one(self, name: str, kind: int) -> tuple[str, ...]:
        loop = asyncio.get_running_loop()
        entry = self._cache.get((name, kind))
        if entry and entry.until > loop.time():
            return entry.addresses
        async with self._limit:
            answer = await self._ask(name, kind)
        seconds = min(max(answer.seconds, 1), _LONGEST_KEPT) if answer.addresses else _FAILURE_KEPT
        self._cache[name, kind] = _Entry(loop.time() + seconds, answer.addresses)
        self._cache.move_to_end((name, kind))
        if len(self._cache) > _MOST_KEPT:
            self._cache.popitem(last=False)
        return answer.addresses

    async def _ask(self, name: str, kind: int) -> dns.Answer:
        failure: dns.Answer | None = None
        repeats_case = True
        for count in range(_TRIES if self._servers else 0):
            server = str(self._servers[count % len(self._servers)])
            # Letters at random make an answer harder to forge; a few servers do not repeat them.
            is_random = repeats_case and count < _TRIES - 1
            upper = secrets.randbits(len(name)) if is_random else 0
            asked = dns.query(secrets.randbits(16), name, kind, upper)
            try:
                async with asyncio.timeout(_TRY_SECONDS[count]):
                    answer = await self._by_udp(server, asked)
                    if answer.truncated:
                        answer = await self._by_tcp(server, asked)
            except dns.OtherCase:
                repeats_case = False
                continue
            except (OSError, dns.Malformed):
                continue
            if answer.code in (dns.NO_ERROR, dns.NO_SUCH_NAME):
                return answer
            failure = answer
        if failure:
            return failure
        raise NoServer("no name server answered")

    async def _by_udp(self, server: str, asked: bytes) -> dns.Answer:
        """The first answer to exactly this question; others are not looked at twice.

        :raises dns.OtherCase: it came, but for the case of letters
        """
        loop = asyncio.get_running_loop()
        with self._socket(server, socket.SOCK_DGRAM) as sock:
            sock.connect((server, 53))
            await loop.sock_sendall(sock, asked)
            while True:
                packet = await loop.sock_recv(sock, 4096)
                try:
                    return dns.read_answer(packet, asked)
                except dns.OtherCase:
                    raise
                except dns.Malformed:
                    pass  # anybody may send that

    async def _by_tcp(self, server: str, asked: bytes) -> dns.Answer:
        loop = asyncio.get_running_loop()
        with self._socket(server, socket.SOCK_STREAM) as sock:
            await loop.sock_connect(sock, (server, 53))
            await loop.sock_sendall(sock, len(asked).to_bytes(2, "big") + asked)
            data = b""
            while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
                more = await loop.sock_recv(sock, 1 << 16)
                if not more:
                    raise NoServer("the name server closed the connection")
                data += more
            answer = dns.read_answer(data[2:], asked)
            return answer._replace(truncated=False)

    def _socket(self, server: str, kind: socket.SocketKind) -> socket.socket:
        """A socket for one question; the kernel chooses its port at random."""
        address = ipaddress.ip_address(server)
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        sock = socket.socket(family, kind | socket.SOCK_NONBLOCK)
        if not address.is_loopback:
            to_device(sock, self._interface)
        return sock
