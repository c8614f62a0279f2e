"""HTTP: the proxy, and plain HTTP in tunnels to port 80, where each request must be for the tunnel's name."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import NamedTuple

import h11

from sandboxd.egress import decoy, placeholder, words
from sandboxd.egress.gateway import http_head, refusals, tunnel, upstream
from sandboxd.egress.gateway.connections import Connection, Way
from sandboxd.egress.gateway.dialer import NoWay
from sandboxd.egress.gateway.head_reader import HEAD_SECONDS, IDLE_SECONDS, TOO_SLOW, next_request
from sandboxd.egress.gateway.http_exchange import DecoySent, Exchange, Switched
from sandboxd.egress.gateway.http_head import BadHead
from sandboxd.egress.gateway.meters import Meter
from sandboxd.egress.gateway.reader import Reader
from sandboxd.egress.gateway.relay import Relay
from sandboxd.egress.gateway.streams import PlainStream
from sandboxd.egress.gateway.tunnel import Destination, Parts

PORT = 80
"""The port at which tunnels are read as HTTP."""

_PLACEHOLDER = "the placeholder of a credential was sent there"
_CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Wanted(NamedTuple):
    """The host, port and path that one request asks for."""

    host: str
    port: int
    path: str


class OtherHost(Exception):
    """The Host field names another host than the one that the request goes to."""

    def __init__(self, wanted: Wanted, named: tuple[str, int]) -> None:
        super().__init__(f"{named[0]}:{named[1]}")
        self.wanted, self.named = wanted, named[0]


async def enter(
    parts: Parts,
    connection: Connection,
    destination: Destination,
    accepted: bytes,
    refusal: Callable[[str, str], bytes],
    early: bytes = b"",
) -> None:
    """Carry a tunnel to port 80 as `tunnel.carry` does, with each request judged by itself."""
    if destination.port != PORT or destination.judgement.reason == "service":
        await tunnel.carry(parts, connection, destination, accepted, refusal, early)
        return
    await Reader(connection).send(accepted)
    await HttpDoor(parts, connection, destination).serve(early)


class HttpDoor:
    """Serves the requests of one connection, each judged by itself."""

    def __init__(
        self, parts: Parts, connection: Connection, fixed: Destination | None = None
    ) -> None:
        """:param fixed: the tunnel that carries the requests; None for the proxy"""
        self._parts, self._connection, self._fixed = parts, connection, fixed
        self._door = fixed.door if fixed else "http"
        self._reader = Reader(connection)

    @property
    def _has_proxy(self) -> bool:
        """Whether the way out is a company's proxy."""
        return self._parts.gate.policy.upstream is not None

    async def serve(self, early: bytes = b"") -> None:
        """Serve requests until the client ends, or one is refused.

        :param early: bytes that the client sent already
        """
        self._reader.data = early
        seconds = HEAD_SECONDS
        while True:
            self._connection.rest()
            try:
                parts = await next_request(self._reader, seconds)
                if parts is None:
                    break
                client, request = parts
                wanted = self._wanted(request)
            except BadHead as error:
                await self._refuse_head(error)
                return
            except OtherHost as error:
                await self._refuse_host(error)
                return
            if not await self._request(client, request, wanted):
                return
            seconds = IDLE_SECONDS
        self._connection.orderly = True

    async def _refuse_head(self, error: BadHead) -> None:
        if error.status == TOO_SLOW:
            await self._reader.end(refusals.response(TOO_SLOW, f"{error}\n"))
            return
        name, port = ("", 0) if self._fixed is None else (self._fixed.judgement.name, PORT)
        self._parts.journal.attempt("denied", name, port, self._door, "malformed", "", str(error))
        await self._reader.end(refusals.response(error.status, f"refused: {error}\n"))

    async def _refuse_host(self, error: OtherHost) -> None:
        name, port = error.wanted.host, error.wanted.port
        reason = "canary" if self._parts.gate.is_tripwire(error.named) else "host"
        self._parts.journal.attempt("denied", name, port, self._door, reason, "", str(error))
        await self._reader.end(refusals.denied(name, port, reason, "", f"Host: {error}"))

    def _wanted(self, request: h11.Request) -> Wanted:
        """The host, port and path of a request.

        :raises BadHead: they cannot be determined
        :raises OtherHost: the Host field names another host
        """
        target = http_head.target(request)
        if request.method == b"CONNECT":
            if self._fixed is not None or target is None:
                raise BadHead("CONNECT within a tunnel", 405)
            wanted = Wanted(target.host, target.port, "")
            named = http_head.host_field(request, target.port)
            if named and not http_head.same(named, (wanted.host, wanted.port)):
                raise OtherHost(wanted, named)
            return wanted
        if self._fixed is not None:
            fixed = (self._fixed.judgement.name, self._fixed.port)
            path = target.path if target else request.target.decode("ascii")
            wanted = Wanted(*fixed, path)
            claimed = [(target.host, target.port)] if target else []
        elif target is None:
            raise BadHead("this is a proxy: it wants the whole URL")
        else:
            wanted, claimed = Wanted(*target), list[tuple[str, int]]()
        host = http_head.host_field(request, wanted.port if self._fixed else 80)
        claimed += [host] if host else []
        for other in claimed:
            if not http_head.same(other, (wanted.host, wanted.port)):
                raise OtherHost(wanted, other)
        return wanted

    async def _request(self, client: h11.Connection, request: h11.Request, wanted: Wanted) -> bool:
        """Handle one request; returns whether another may follow."""
        connect = request.method == b"CONNECT"
        door = "connect" if connect else self._door
        judgement = tunnel.judge(self._parts, self._connection, wanted.host, wanted.port, door)
        name, port, source = judgement.name, wanted.port, judgement.source
        destination = Destination(judgement, port, door)
        if not judgement.allowed:
            await self._reader.end(refusals.denied(name, port, judgement.reason, source))
            return False
        if carried := self._bait(request):
            # Worth nothing there; whoever sends it has looked for secrets.
            destination.report(self._parts, "canary", carried)
            await self._reader.end(refusals.denied(name, port, "canary", source, carried))
            return False
        if connect:
            await enter(
                self._parts, self._connection, destination, _CONNECTED,
                lambda reason, detail: refusals.denied(
                    name, port, reason, source, detail, self._has_proxy
                ),
                self._reader.take(),
            )  # fmt: skip
            return False
        self._parts.gate.claim(judgement.rule)
        try:
            # After an upgrade the bytes are no HTTP any more, and a proxy passes those by a tunnel alone.
            speaks_http = not http_head.is_websocket(request)
            way = await tunnel.dial(self._parts, self._connection, destination, speaks_http)
        except NoWay as error:
            await self._reader.end(
                refusals.denied(name, port, error.reason, source, error.detail, self._has_proxy)
            )
            return False
        return await self._exchange(client, request, wanted.path, destination, way)

    async def _exchange(
        self,
        client: h11.Connection,
        request: h11.Request,
        path: str,
        destination: Destination,
        way: Way,
    ) -> bool:
        """Send a request that is allowed, and bring its answer; returns whether another may follow."""
        server, name, port = way.sock, destination.judgement.name, destination.port
        forwarded = http_head.forwarded(request, name, port, path)
        proxy = way.upstream if way.speaks_http else None
        if proxy is not None:
            forwarded = upstream.whole_url(forwarded, name, port, proxy)
        meter = self._parts.meters.of(destination.judgement)
        search = decoy.Search((placeholder.PREFIX, *self._parts.gate.policy.decoys))
        try:
            exchange = Exchange(
                self._reader,
                client,
                PlainStream(server, meter),
                lambda answer: upstream.pass_on(answer, proxy),
                search,
            )
            result = await exchange.run(forwarded)
        except DecoySent:
            server.close()
            is_decoy = search.text != placeholder.PREFIX
            destination.report(self._parts, "canary", words.DECOY if is_decoy else _PLACEHOLDER)
            return False
        except h11.ProtocolError as error:
            server.close()
            destination.report(self._parts, "malformed", str(error))
            return False
        except upstream.Refusal as error:
            server.close()
            why = f"the proxy {proxy} {error}"
            destination.report(self._parts, "upstream", why)
            source = destination.judgement.source
            await self._reader.end(refusals.denied(name, port, "upstream", source, why))
            return False
        except BaseException:
            server.close()
            raise
        if isinstance(result, Switched):
            self._relay(server, meter, result)
            return False
        server.close()
        if not result:
            await self._reader.end()
        return result

    def _bait(self, request: h11.Request) -> str:
        """The decoy or placeholder in a request's head, in words; '' for none."""
        head = (request.method, request.target, request.headers)
        if placeholder.is_carried(*head):
            return _PLACEHOLDER
        return words.DECOY if decoy.is_carried(*head, self._parts.gate.policy.decoys) else ""

    def _relay(self, server: socket.socket, meter: Meter, switched: Switched) -> None:
        connection = self._connection
        relay = Relay(
            self._parts.loop,
            connection.client,
            server,
            meter,
            lambda: self._parts.connections.over(connection),
        )
        connection.relay = relay
        relay.start(switched.to_client, switched.to_server)
