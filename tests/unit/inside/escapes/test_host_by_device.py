"""A datagram past the routing table: it leaves by the device that was named."""

from __future__ import annotations

import socket
from typing import Any

from sandboxd.inside.escapes import host_by_device


class Channel:
    """A socket that writes down what is done with it."""

    def __init__(self) -> None:
        self.done: list[Any] = []

    def setsockopt(self, *option: object) -> None:
        self.done.append(option)

    def sendto(self, word: bytes, target: tuple[str, int]) -> None:
        self.done.append((word, target))


def test_the_word_is_sent_by_the_device() -> None:
    channel: Any = Channel()
    host_by_device._by("eth0")(channel, b"word", ("192.0.2.1", 9))
    assert channel.done == [
        (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0"),
        (b"word", ("192.0.2.1", 9)),
    ]
