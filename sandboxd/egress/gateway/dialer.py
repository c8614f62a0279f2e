"""Dials an allowed name: each resolved address is judged, and exactly that address is dialled."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import os
import socket

from sandboxd.egress.addresses import Network, judge, networks
from sandboxd.egress.gateway.captivity import Captivity
from sandboxd.egress.gateway.connections import Way
from sandboxd.egress.gateway.facts import WayOut
from sandboxd.egress.gateway.gate import Gate, Judgement
from sandboxd.egress.gateway.resolver import NoServer, Resolver
from sandboxd.egress.gateway.sockets import stream_options, to_device
from sandboxd.egress.gateway.upstream import connect
from sandboxd.egress.names import NotAName, address
from sandboxd.egress.policy import Upstream

DIAL_SECONDS, MOST_ADDRESSES = 4.0, 6
"""Seconds that all addresses of a name may take together, and how many are tried."""

NEXT_SECONDS = 0.25
"""Seconds after which the next address is tried beside those that have not answered yet (RFC 8305, section 5)."""

NAME_SECONDS = 3.5
"""Seconds that a connection waits for the name server. The question goes on, for the next connection."""

LEAST_SECONDS = 1.5
"""Seconds for the addresses after a name server that was slow: so whatever is wrong is said within 5 s."""

# A proxy dials, too. Where only it can resolve names, a lookup here must not hold each connection up.
_PROXY_SECONDS, _LOOK_SECONDS, _SILENCE_SECONDS = 2 * DIAL_SECONDS, 2.0, 30.0


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
        self._inner, self._way_out = inner, way_out
        self._captivity = Captivity()
        self._silent_until = 0.0
        """Until when no name server is asked that did not answer; only where a proxy resolves names, too."""

    async def dial(self, judgement: Judgement, port: int, speaks_http: bool = False) -> Way:
        """A connection to `port` of a name that was allowed.

        :param speaks_http: what follows are requests of plain HTTP, which a company's proxy may be given
        :raises NoWay: no address may be dialled, or none answers
        """
        name = judgement.name
        if judgement.reason == "service":
            return await self._service(name, port)
        if not self._way_out.interface:
            raise NoWay("unreachable", "this gateway has no way out")
        upstream = self._upstream(name)
        if upstream is None:
            began = asyncio.get_running_loop().time()
            candidates = await self._addresses(name)
            if not candidates:
                raise NoWay("unresolved", await self._why_unresolved(name))
            spent = asyncio.get_running_loop().time() - began
            seconds = max(DIAL_SECONDS - spent, LEAST_SECONDS)
            return await self._direct(self._checked(judgement, candidates), port, seconds)
        checked = self._checked(judgement, await self._known_addresses(name))
        private = [each for each in checked if judge(each).kind == "private"]
        if private:
            # Of the company's own network, where its proxy does not lead.
            return await self._direct(private, port)
        return await self._through(upstream, name, port, speaks_http)

    def would_go(self, way: Way, name: str, port: int, service: str | None = None) -> bool:
        """Whether a connection to `port` of `name` could be made in the way `way` now: by the same proxy, or to an
        address that may be dialled. Whether the name may be reached at all is another question.

        :param service: the address of the container that `name` is a service of; None where it is none
        """
        if way.is_service or service is not None:
            return way.is_service and way.address == service
        upstream = self._upstream(name)
        if way.upstream is not None:
            return upstream is not None and way.upstream.place == upstream.place
        verdict = judge(way.address, self._forbidden_now())
        if not verdict.may_be_dialled(self._gate.allows_private(name, port)):
            return False
        return upstream is None or verdict.kind == "private"

    def _upstream(self, name: str) -> Upstream | None:
        """The proxy through which `name` is reached; None without one."""
        upstream = self._gate.policy.upstream
        is_direct = upstream is None or any(each.matches(name) for each in upstream.direct)
        return None if is_direct else upstream

    def _forbidden_now(self) -> tuple[Network, ...]:
        return networks([*self._gate.policy.forbidden, *self._forbidden])

    async def _direct(self, addresses: list[str], port: int, seconds: float = DIAL_SECONDS) -> Way:
        sock, address = await connect_first(addresses, port, self._way_out.device, seconds)
        return Way(sock, address)

    def _checked(self, judgement: Judgement, candidates: tuple[str, ...]) -> list[str]:
        """The addresses among `candidates` that may be dialled.

        :raises NoWay: there are some, and none may
        """
        private = judgement.rule is not None and judgement.rule.private
        forbidden = self._forbidden_now()
        checked, refused = [], ""
        for candidate in candidates:
            verdict = judge(candidate, forbidden)
            if verdict.may_be_dialled(private):
                checked.append(candidate)
            else:
                refused = refused or f"{candidate} is {verdict.why}"
        if candidates and not checked:
            raise NoWay(
                "address", refused + self._captivity.suspicion(judgement.name, candidates[0])
            )
        return checked[:MOST_ADDRESSES]

    async def _why_unresolved(self, name: str) -> str:
        """The reason why a name has no address here, for a person; '' where it does not exist."""
        with contextlib.suppress(NoServer, TimeoutError):
            async with asyncio.timeout(LEAST_SECONDS):
                has_only_ipv6 = await self._resolver.has_only_ipv6(name)
            if has_only_ipv6:
                return "it has IPv6 addresses alone, and this gateway goes out by IPv4"
        return ""

    async def _known_addresses(self, name: str) -> tuple[str, ...]:
        """The addresses of `name`, none where perhaps only the company's proxy can resolve it."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._silent_until:
            return ()
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                return await self._addresses(name)
        except (NoWay, TimeoutError):
            self._silent_until = loop.time() + _SILENCE_SECONDS
            return ()

    async def _addresses(self, name: str) -> tuple[str, ...]:
        with contextlib.suppress(NotAName):
            return (address(name),)  # a rule is for exactly this address
        try:
            async with asyncio.timeout(NAME_SECONDS):
                return await self._resolver.addresses(name)
        except NoServer as error:
            raise NoWay("unresolved", str(error)) from None
        except TimeoutError:
            raise NoWay("unresolved", "no name server answered") from None

    async def _service(self, name: str, port: int) -> Way:
        place = self._gate.service(name)
        synthetic = place is not None and self._gate.book.name(place) is not None
        if place is None or synthetic or place == self._gateway:
            raise NoWay("address", f"{place} is no container")
        if ipaddress.IPv4Address(place) not in self._subnet:
            raise NoWay("address", f"{place} is not on the inner network")
        sock, _ = await connect_first([place], port, self._inner)
        return Way(sock, place, is_service=True)

    async def _through(self, upstream: Upstream, name: str, port: int, speaks_http: bool) -> Way:
        """A connection by the company's proxy, which resolves the name and dials it."""
        sock = await self._proxy(upstream)
        if speaks_http:
            return Way(sock, upstream=upstream, speaks_http=True)
        try:
            async with asyncio.timeout(_PROXY_SECONDS):
                await connect(sock, upstream, name, port)
        except BaseException as error:
            sock.close()
            if isinstance(error, OSError):
                why = "does not answer in time" if isinstance(error, TimeoutError) else str(error)
                raise NoWay("upstream", f"the proxy {upstream} {why}") from None
            raise
        return Way(sock, upstream=upstream)

    async def _proxy(self, upstream: Upstream) -> socket.socket:
        try:
            ipaddress.ip_address(upstream.host)
            addresses: tuple[str, ...] = (upstream.host,)
        except ValueError:
            try:
                addresses = await self._resolver.addresses(upstream.host)
            except NoServer:
                addresses = ()
            if not addresses:
                raise NoWay("upstream", f"the proxy {upstream} does not resolve") from None
        try:
            first = list(addresses)[:MOST_ADDRESSES]
            sock, _ = await connect_first(first, upstream.port, self._way_out.device)
        except NoWay as error:
            why = f"the proxy {upstream} does not answer ({error.detail})"
            raise NoWay("upstream", why) from None
        return sock


async def connect_first(
    addresses: list[str], port: int, interface: str, seconds: float = DIAL_SECONDS
) -> tuple[socket.socket, str]:
    """A connection to the first of `addresses` that answers, and which one that is.

    :param interface: as for `sockets.to_device`
    :param seconds: how long all of them may take together
    :raises NoWay: none does
    """
    loop = asyncio.get_running_loop()
    ends, waiting, details = loop.time() + seconds, list(addresses), dict[str, str]()
    tried: dict[asyncio.Task[socket.socket], str] = {}
    try:
        while waiting or tried:
            if waiting:
                candidate = waiting.pop(0)
                tried[loop.create_task(_connect(candidate, port, interface, ends))] = candidate
            pause = NEXT_SECONDS if waiting else None
            done, _ = await asyncio.wait(tried, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                candidate = tried.pop(task)
                try:
                    return task.result(), candidate
                except NoWay as error:
                    if error.reason != "unreachable":
                        raise
                    details[candidate] = error.detail
    finally:
        for task in tried:
            task.add_done_callback(_close)
            task.cancel()
    raise NoWay("unreachable", details.get(addresses[-1], "") if addresses else "")


async def _connect(candidate: str, port: int, interface: str, ends: float) -> socket.socket:
    """A connection to one address.

    :param ends: when it is given up, by the loop's clock
    :raises NoWay: there is none
    """
    family = socket.AF_INET6 if ":" in candidate else socket.AF_INET
    try:
        sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    except OSError as error:
        raise NoWay("full", error.strerror or "") from None
    try:
        to_device(sock, interface)
        async with asyncio.timeout_at(ends):
            await asyncio.get_running_loop().sock_connect(sock, (candidate, port))
    except BaseException as error:
        sock.close()
        if not isinstance(error, OSError):
            raise
        # The event loop puts words of its own in the place of the kernel's.
        late = isinstance(error, TimeoutError)
        why = "no answer in time" if late else os.strerror(error.errno or errno.EIO)
        raise NoWay("unreachable", f"{candidate}: {why}") from None
    stream_options(sock)
    return sock


def _close(task: asyncio.Task[socket.socket]) -> None:
    """Close the connection of a task that nobody waits for any more, if it made one."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()
