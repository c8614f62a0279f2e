"""Makes a running tunnel of a verdict: claim the rule, dial, check the first bytes, relay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from sandboxd.egress.gateway.connections import Connection, Connections, Way
from sandboxd.egress.gateway.dialer import Dialer, NoWay
from sandboxd.egress.gateway.first_bytes import FirstBytes, Refused
from sandboxd.egress.gateway.gate import Gate, Judgement
from sandboxd.egress.gateway.journal import Journal
from sandboxd.egress.gateway.meters import Meters
from sandboxd.egress.gateway.reader import Reader
from sandboxd.egress.gateway.relay import Relay

_HELLO_SECONDS = 10.0
_CUT = "the connection was reset before an answer came"


class Parts(NamedTuple):
    """The parts of the gateway that every door needs."""

    loop: asyncio.AbstractEventLoop
    gate: Gate
    journal: Journal
    connections: Connections
    dialer: Dialer
    meters: Meters


class Destination(NamedTuple):
    """The name and port of a connection that the policy allows, and the door that it came by."""

    judgement: Judgement
    port: int
    door: str

    def report(self, parts: Parts, reason: str, detail: str = "") -> None:
        """Report that it was not reached, although the policy allows it."""
        name, source = self.judgement.name, self.judgement.source
        parts.journal.attempt("denied", name, self.port, self.door, reason, source, detail)

    def reached(self, parts: Parts) -> None:
        """Report that it was reached, and which rule for one connection that used up."""
        name, rule = self.judgement.name, self.judgement.rule
        reason, source = self.judgement.reason, self.judgement.source
        parts.journal.attempt("reached", name, self.port, self.door, reason, source)
        if rule is not None and rule.once:
            parts.journal.say("used", name=name, port=self.port, once=rule.once)


def judge(parts: Parts, connection: Connection, text: str, port: int, door: str) -> Judgement:
    """The verdict on a connection; a refusal is reported, and the connection keeps the verdict.

    A caller that claims the rule without waiting (`Gate.claim`) has a rule for one connection to itself.
    """
    judgement = parts.gate.judge(text, port)
    if judgement.allowed:
        connection.name, connection.port, connection.rule = judgement.name, port, judgement.rule
        connection.way = None
    else:
        name, reason, source = judgement.name, judgement.reason, judgement.source
        parts.journal.attempt("denied", name, port, door, reason, source)
    return judgement


def would_go(parts: Parts, connection: Connection, way: Way) -> bool:
    """Whether `connection` could be made in the way `way` now; whether it may be made at all is not judged."""
    binding = connection.binding
    if binding is not None:
        # Never a service of the project, whatever that names so.
        return parts.dialer.would_go(way, binding.host, binding.host_port)
    name, port = connection.name, connection.port
    return parts.dialer.would_go(way, name, port, parts.gate.service(name))


async def dial(
    parts: Parts, connection: Connection, destination: Destination, speaks_http: bool = False
) -> Way:
    """A connection to a destination that `judge` allowed, by a claimed rule; `connection` keeps how it was made.

    :param speaks_http: as for `Dialer.dial`
    :raises NoWay: it cannot be reached; that is reported, and a rule for one connection is given back
    """
    try:
        way = await parts.dialer.dial(destination.judgement, destination.port, speaks_http)
        if not would_go(parts, connection, way):
            way.sock.close()
            # Not of its address, which would stand against an approval: the next try may go.
            raise NoWay("unreachable", "what may be dialled for it has changed meanwhile")
    except BaseException as error:
        parts.gate.give_back(destination.judgement.rule)
        if isinstance(error, NoWay):
            destination.report(parts, error.reason, error.detail)
        raise
    connection.way = way
    destination.reached(parts)
    return way


async def carry(
    parts: Parts,
    connection: Connection,
    destination: Destination,
    accepted: bytes,
    refusal: Callable[[str, str], bytes],
    early: bytes = b"",
) -> None:
    """Make a tunnel from `connection` to a destination that `judge` allowed.

    :param accepted: tells the client that the tunnel is open
    :param refusal: makes, from reason and detail, the answer that it is not
    :param early: bytes that the client sent already
    """
    rule = destination.judgement.rule
    parts.gate.claim(rule)
    reader = Reader(connection, early)
    check: FirstBytes | None = None
    if destination.judgement.reason != "service":
        check = FirstBytes(destination.judgement.name, rule is not None and rule.needs_sni)
    to_server = b""
    if check is not None and rule is not None and rule.needs_sni:
        # Nothing is dialled before it is known for whom.
        try:
            await reader.send(accepted)
            to_server = await _checked(reader, check)
        except BaseException as error:
            parts.gate.give_back(rule)
            if isinstance(error, Refused):
                _report(parts, destination, error)
                return
            raise
        accepted, check = b"", None
    try:
        way = await dial(parts, connection, destination)
    except NoWay as error:
        if not to_server:
            await reader.end(refusal(error.reason, error.detail))
        return
    relay = Relay(
        parts.loop,
        connection.client,
        way.sock,
        parts.meters.of(destination.judgement),
        lambda: parts.connections.over(connection),
        check,
        lambda refused: _report(parts, destination, refused),
        lambda: destination.report(parts, "unreachable", f"{way.address or way.upstream}: {_CUT}"),
    )
    connection.relay = relay
    relay.start(accepted, to_server + reader.take())


def _report(parts: Parts, destination: Destination, refused: Refused) -> None:
    # Its message is the name that TLS asked for, where it is another.
    reason = "canary" if parts.gate.is_tripwire(str(refused)) else refused.reason
    destination.report(parts, reason, str(refused))


async def _checked(reader: Reader, check: FirstBytes) -> bytes:
    """The first bytes of a client, once they passed the check."""
    try:
        async with asyncio.timeout(_HELLO_SECONDS):
            while True:
                data = reader.take()
                if data and (passed := check.feed(data)):
                    return passed
                if not await reader.more():
                    raise Refused("sni", "closed before it said for which server")
    except TimeoutError:
        raise Refused("sni", "said nothing in time") from None
