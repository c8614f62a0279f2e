"""Reports connections to closed ports: the kernel refuses them without telling us."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from typing import Any

from sandboxd.egress.gateway import privileges
from sandboxd.egress.gateway.datagrams import Datagrams
from sandboxd.egress.gateway.tunnel import Parts

DOOR = "port"


class RefusedPorts:
    """Reports what `privileges.syn_watcher` sees."""

    def __init__(
        self, parts: Parts, watcher: socket.socket, gateway: str, own_ports: Iterable[int]
    ) -> None:
        """:param own_ports: those that are open at the address `gateway` alone"""
        self._parts, self._watcher = parts, watcher
        self._gateway, self._own_ports = gateway, frozenset(own_ports)
        self._ports: frozenset[int] = frozenset()
        Datagrams(parts.loop, watcher, self._arrived, parts.journal.lose)

    def overlook(self, ports: Iterable[int], own_ports: Iterable[int]) -> None:
        """Report no connections to `ports` at any address, nor to `own_ports` at the gateway's own: they are open now."""
        self._ports, self._own_ports = frozenset(ports), frozenset(own_ports)
        privileges.overlook(self._watcher, self._ports)

    def _arrived(self, packet: bytes, sender: Any) -> None:
        if len(packet) < 40 or sender[2] == socket.PACKET_OUTGOING:
            return
        port = struct.unpack_from(">H", packet, (packet[0] & 15) * 4 + 2)[0]
        address = socket.inet_ntoa(packet[16:20])
        own = address == self._gateway and port in self._own_ports
        if own or port in self._ports:
            return
        name = self._parts.gate.book.name(address)
        if name is None:
            self._parts.journal.attempt("denied", address, port, DOOR, "not-a-name")
            return
        judgement = self._parts.gate.judge(name, port)
        reason = "port" if judgement.allowed else judgement.reason
        self._parts.journal.attempt("denied", name, port, DOOR, reason, judgement.source)
