"""The name server of the inner network: it answers from the policy and forwards nothing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

from sandboxd.egress.gateway import dns
from sandboxd.egress.gateway.connections import Connection
from sandboxd.egress.gateway.datagrams import Datagrams
from sandboxd.egress.gateway.gate import Judgement
from sandboxd.egress.gateway.reader import Reader
from sandboxd.egress.gateway.tunnel import Parts
from sandboxd.egress.layout import GATEWAY_NAME

DOOR = "dns"
TTL = 5
"""Seconds that a client may keep an address."""

_IDLE_SECONDS, _MOST_QUERIES = 10.0, 1000


class Stub:
    """Answers queries by UDP and TCP."""

    def __init__(
        self, parts: Parts, sock: socket.socket, own: str, serves: Callable[[str], bool]
    ) -> None:
        """:param own: the gateway's own address, which its name resolves to where there are credentials
        :param serves: whether a sender's address is answered
        """
        self._parts, self._sock, self._own, self._serves = parts, sock, own, serves
        Datagrams(parts.loop, sock, self._arrived, parts.journal.lose)

    async def serve(self, connection: Connection) -> None:
        """The queries of one TCP connection."""
        reader = Reader(connection)
        for _ in range(_MOST_QUERIES):
            async with asyncio.timeout(_IDLE_SECONDS):
                while len(reader.data) < 2 or len(reader.data) < 2 + _length(reader.data):
                    if not await reader.more():
                        return
                packet = reader.take(2 + _length(reader.data))[2:]
                reply = self.answer(packet)
                if reply is None:
                    return
                await reader.send(len(reply).to_bytes(2, "big") + reply)

    def answer(self, packet: bytes) -> bytes | None:
        """The reply to a query; None for what is none."""
        try:
            question = dns.read_question(packet)
        except dns.Malformed:
            return None
        if question.name.lower() == GATEWAY_NAME and self._parts.gate.policy.credentials:
            address = self._own if question.type == dns.A else None
            return dns.reply(question, dns.NO_ERROR, address, TTL)
        judgement = self._parts.gate.judge(question.name, 0)
        if not judgement.allowed:
            self._deny(judgement, judgement.reason)
            return dns.reply(question, dns.NO_SUCH_NAME)
        if question.type != dns.A:
            return dns.reply(question, dns.NO_ERROR)
        book = self._parts.gate.book
        if judgement.reason != "service" and not book.has_range:
            # The name is there, and the proxies alone lead to it.
            return dns.reply(question, dns.NO_ERROR)
        address = self._address(judgement)
        if address is None:
            self._deny(judgement, "full")
            return dns.reply(question, dns.SERVER_FAILURE)
        return dns.reply(question, dns.NO_ERROR, address, TTL)

    def _arrived(self, packet: bytes, sender: Any) -> None:
        reply = self.answer(packet) if self._serves(sender[0]) else None
        if reply is not None:
            with contextlib.suppress(OSError):
                self._sock.sendto(reply, sender)

    def _address(self, judgement: Judgement) -> str | None:
        name, book = judgement.name, self._parts.gate.book
        if judgement.reason == "service":
            return self._parts.gate.service(name)
        address = book.address(name)
        if address is None:
            below = judgement.rule is not None and judgement.rule.pattern.below
            address = book.assign(name, below)
            if address is not None:
                self._parts.journal.say("assigned", name=name, address=address)
        return address

    def _deny(self, judgement: Judgement, reason: str) -> None:
        self._parts.journal.attempt("denied", judgement.name, 0, DOOR, reason, judgement.source)


def _length(data: bytes) -> int:
    return int.from_bytes(data[:2], "big")
