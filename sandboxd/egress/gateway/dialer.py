"""From a name that may be reached to a connection: each address is judged, and that one is dialled."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ipaddress
import socket

from sandboxd.egress.addresses import judge, networks
from sandboxd.egress.gateway.facts import WayOut
from sandboxd.egress.gateway.gate import Gate, Judgement
from sandboxd.egress.gateway.resolver import NoServer, Resolver
from sandboxd.egress.gateway.sockets import stream_options, to_device
from sandboxd.egress.names import NotAName, address
from sandboxd.egress.policy import Upstream

DIAL_SECONDS, MOST_ADDRESSES = 4.0, 6
"""How long one address may take, and how many of a name are tried one after another."""

_LONGEST_REPLY = 1 << 14


class NoWay(OSError):
    """The name cannot be reached; `reason` is one of `messages.Attempted`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


class Dialer:
    """Makes the connections to the outside, and to the services of the same project."""

    def __init__(
        self,
        gate: Gate,
        resolver: Resolver,
        subnet: str,
        inner: str,
        way_out: WayOut,
        gateway: str,
    ) -> None:
        """:param inner: the interface of `subnet`, where this gateway's own address is `gateway`"""
        self._gate, self._resolver = gate, resolver
        # The host is the next station of a network of containers: no rule leads to it by that address.
        self._forbidden = [subnet, *([f"{way_out.router}/32"] if way_out.router else [])]
        self._subnet, self._gateway = ipaddress.IPv4Network(subnet), gateway
        self._inner, self._outer = inner, way_out.interface

    async def dial(self, judgement: Judgement, port: int) -> socket.socket:
        """A connection to `port` of a name that was allowed.

        :raises NoWay: no address may be dialled, or none answers
        """
        name = judgement.name
        if judgement.reason == "service":
            return await self._service(name, port)
        if not self._outer:
            raise NoWay("unreachable", "this gateway has no way out")
        upstream = self._gate.policy.upstream
        if upstream is not None:
            return await self._through(upstream, name, port)
        candidates = await self._addresses(name)
        if not candidates:
            raise NoWay("unresolved")
        private = judgement.rule is not None and judgement.rule.private
        forbidden = networks([*self._gate.policy.forbidden, *self._forbidden])
        checked, refused = [], ""
        for candidate in candidates:
            verdict = judge(candidate, forbidden)
            if verdict.may_be_dialled(private):
                checked.append(candidate)
            else:
                refused = refused or f"{candidate} is {verdict.why}"
        if not checked:
            raise NoWay("address", refused)
        return await self._first(checked[:MOST_ADDRESSES], port, self._outer)

    async def _addresses(self, name: str) -> tuple[str, ...]:
        with contextlib.suppress(NotAName):
            return (address(name),)  # a rule is for exactly this address
        try:
            return await self._resolver.addresses(name)
        except NoServer as error:
            raise NoWay("unresolved", str(error)) from None

    async def _service(self, name: str, port: int) -> socket.socket:
        place = self._gate.service(name)
        synthetic = place is not None and self._gate.book.name(place) is not None
        if place is None or synthetic or place == self._gateway:
            raise NoWay("address", f"{place} is no container")
        if ipaddress.IPv4Address(place) not in self._subnet:
            raise NoWay("address", f"{place} is not on the inner network")
        return await self._first([place], port, self._inner)

    async def _first(self, addresses: list[str], port: int, interface: str) -> socket.socket:
        """The first that answers."""
        detail = ""
        for candidate in addresses:
            family = socket.AF_INET6 if ":" in candidate else socket.AF_INET
            try:
                sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            except OSError as error:
                raise NoWay("full", error.strerror or "") from None
            try:
                to_device(sock, interface)
                async with asyncio.timeout(DIAL_SECONDS):
                    await asyncio.get_running_loop().sock_connect(sock, (candidate, port))
            except BaseException as error:
                sock.close()
                if not isinstance(error, OSError):
                    raise
                why = "no answer in time" if isinstance(error, TimeoutError) else error.strerror
                detail = f"{candidate}: {why}"
                continue
            stream_options(sock)
            return sock
        raise NoWay("unreachable", detail)

    async def _through(self, upstream: Upstream, name: str, port: int) -> socket.socket:
        """By the company's proxy, which looks the name up and dials it."""
        try:
            ipaddress.ip_address(upstream.host)
            addresses: tuple[str, ...] = (upstream.host,)
        except ValueError:
            addresses = await self._addresses(upstream.host)
        sock = await self._first(list(addresses)[:MOST_ADDRESSES], upstream.port, self._outer)
        try:
            async with asyncio.timeout(2 * DIAL_SECONDS):
                await _ask_proxy(sock, upstream, name, port)
        except TimeoutError:
            sock.close()
            raise NoWay("unreachable", "the proxy outside does not answer") from None
        except BaseException:
            sock.close()
            raise
        return sock


async def _ask_proxy(sock: socket.socket, upstream: Upstream, name: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    lines = [f"CONNECT {name}:{port} HTTP/1.1", f"Host: {name}:{port}"]
    if upstream.credentials:
        encoded = base64.b64encode(upstream.credentials.encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {encoded}")
    await loop.sock_sendall(sock, "\r\n".join([*lines, "", ""]).encode())
    head = b""
    # One byte at a time at its end: what follows it belongs to the tunnel.
    while not head.endswith(b"\r\n\r\n"):
        more = await loop.sock_recv(sock, 1)
        head += more
        if not more or len(head) > _LONGEST_REPLY:
            raise NoWay("unreachable", "the proxy outside gives no answer of HTTP")
    words = head.split(b"\r\n", 1)[0].split(b" ", 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or words[1][:1] != b"2":
        code = words[1][:3].decode("latin-1") if len(words) > 1 else ""
        raise NoWay("unreachable", f"the proxy outside answers {code}")
