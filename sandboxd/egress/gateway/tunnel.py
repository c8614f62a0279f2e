"""From a verdict to bytes both ways: the rule's one connection, the dial, the second check, the relay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from sandboxd.egress.gateway.connections import Connection, Connections
from sandboxd.egress.gateway.dialer import Dialer, NoWay, Way
from sandboxd.egress.gateway.first_bytes import FirstBytes, Refused
from sandboxd.egress.gateway.gate import Gate, Judgement
from sandboxd.egress.gateway.journal import Journal
from sandboxd.egress.gateway.reader import Reader
from sandboxd.egress.gateway.relay import Relay

_HELLO_SECONDS = 10.0


class House(NamedTuple):
    """The parts of the gateway that each door needs."""

    loop: asyncio.AbstractEventLoop
    gate: Gate
    journal: Journal
    connections: Connections
    dialer: Dialer


class Place(NamedTuple):
    """A name that was allowed, and by which door somebody came for it."""

    judgement: Judgement
    port: int
    door: str

    def report(self, house: House, reason: str, detail: str = "") -> None:
        """Say that it was not reached, though the policy allows it."""
        name, source = self.judgement.name, self.judgement.source
        house.journal.attempt("denied", name, self.port, self.door, reason, source, detail)

    def reached(self, house: House) -> None:
        """Say that it was reached, and that a rule for one connection is used up by it."""
        name, rule = self.judgement.name, self.judgement.rule
        reason, source = self.judgement.reason, self.judgement.source
        house.journal.attempt("reached", name, self.port, self.door, reason, source)
        if rule is not None and rule.once:
            house.journal.say("used", name=name, port=self.port)


def judge(house: House, connection: Connection, text: str, port: int, door: str) -> Judgement:
    """The verdict for a connection, reported when it is no; and the connection is known by it.

    Whoever goes on without waiting has the rule for one connection to itself by `Gate.claim`.
    """
    judgement = house.gate.judge(text, port)
    if judgement.allowed:
        connection.name, connection.port, connection.rule = judgement.name, port, judgement.rule
    else:
        name, reason, source = judgement.name, judgement.reason, judgement.source
        house.journal.attempt("denied", name, port, door, reason, source)
    return judgement


async def dial(house: House, place: Place, speaks_http: bool = False) -> Way:
    """A connection to where `judge` allowed one, by a rule that was claimed.

    :param speaks_http: as `Dialer.dial` has it
    :raises NoWay: it cannot be reached; that is reported, and a rule for one connection is given back
    """
    try:
        way = await house.dialer.dial(place.judgement, place.port, speaks_http)
    except BaseException as error:
        house.gate.give_back(place.judgement.rule)
        if isinstance(error, NoWay):
            place.report(house, error.reason, error.detail)
        raise
    place.reached(house)
    return way


async def carry(
    house: House,
    connection: Connection,
    place: Place,
    accepted: bytes,
    refusal: Callable[[str, str], bytes],
    early: bytes = b"",
) -> None:
    """Make a tunnel of `connection` to where `judge` allowed one.

    :param accepted: tells the client that there is one
    :param refusal: from reason and detail, what tells it that there is none
    :param early: what it said already
    """
    rule = place.judgement.rule
    house.gate.claim(rule)
    reader = Reader(connection, early)
    check: FirstBytes | None = None
    if place.judgement.reason != "service":
        check = FirstBytes(place.judgement.name, rule is not None and rule.needs_sni)
    to_server = b""
    if check is not None and rule is not None and rule.needs_sni:
        # Nothing is dialled before it is known for whom.
        try:
            await reader.send(accepted)
            to_server = await _checked(reader, check)
        except BaseException as error:
            house.gate.give_back(rule)
            if isinstance(error, Refused):
                place.report(house, error.reason, str(error))
                return
            raise
        accepted, check = b"", None
    try:
        way = await dial(house, place)
    except NoWay as error:
        if not to_server:
            await reader.end(refusal(error.reason, error.detail))
        return
    relay = Relay(
        house.loop,
        connection.client,
        way.sock,
        lambda: house.connections.over(connection),
        check,
        lambda refused: place.report(house, refused.reason, str(refused)),
    )
    connection.relay = relay
    relay.start(accepted, to_server + reader.take())


async def _checked(reader: Reader, check: FirstBytes) -> bytes:
    """The first bytes of a client, when they are in order."""
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
