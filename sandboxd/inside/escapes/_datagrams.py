"""Datagrams to the host, which looks for what arrived: the sender only ever learns that it was sent."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable

IP_PKTINFO = 8


def targets(facts: dict[str, Any]) -> list[tuple[str, int]]:
    """Addresses of the host and the port where it listens for datagrams.

    :raises NotApplicable: it listens nowhere
    """
    if not facts["datagram_port"]:
        raise NotApplicable("the host has no listener there")
    return [(address, facts["datagram_port"]) for address in facts["host_addresses"]]


def send(
    facts: dict[str, Any],
    attempt: str,
    ways: list[Callable[[socket.socket, bytes, tuple[str, int]], None]],
) -> dict[str, Any]:
    """Send the word of `attempt` to each address of the host in each way.

    :raises OSError: no way sends anything
    """
    word = f"{facts['word']} {attempt}".encode()
    sent, last = 0, OSError("no address to try")
    for target in targets(facts):
        for way in ways:
            try:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
                    channel.setblocking(False)
                    way(channel, word, target)
                    sent += 1
            except OSError as error:
                last = error
    if not sent:
        raise last
    return {"detail": f"{sent} datagrams were sent"}


def devices() -> list[str]:
    """Network interfaces but the loopback."""
    return [name for _, name in socket.if_nameindex() if name != "lo"]
