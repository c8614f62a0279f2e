"""Bytes are counted on real sockets, by the name that they go to, whatever way a connection ends."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import Callable
from contextlib import suppress

import pytest

from sandboxd.egress.gateway.gate import Judgement
from sandboxd.egress.gateway.meters import MOST_NAMES, REPORTS_IN_A_TICK, Meter, Meters
from sandboxd.egress.gateway.relay import Relay
from sandboxd.egress.gateway.streams import PlainStream
from tests.patience import PATIENCE

MEGABYTE = hashlib.sha256(b"pattern").digest() * 32768


class Pair:
    """A relay between a client and a server, whose other ends are the test's."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.client, near = socket.socketpair()
        self.server, far = socket.socketpair()
        # The relay can send little at once, and holds the rest until the server has read.
        far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 14)
        for sock in (self.client, near, self.server, far):
            sock.setblocking(False)
        self.meter, self.ended = Meter("a.example"), asyncio.Event()
        self.relay = Relay(loop, near, far, self.meter, self.ended.set)

    @property
    def counted(self) -> tuple[int, int]:
        return self.meter.up, self.meter.down


def with_relay(act: Callable[[Pair], object]) -> tuple[int, int]:
    """The bytes up and down that a relay counted until it ended, while `act` used the other ends."""

    async def run() -> tuple[int, int]:
        pair = Pair(asyncio.get_running_loop())
        with pair.client, pair.server:
            async with asyncio.timeout(PATIENCE):
                await act(pair)  # type: ignore[misc]
                await pair.ended.wait()
            return pair.counted

    return asyncio.run(run())


async def read_all(sock: socket.socket) -> int:
    """The number of bytes until the end."""
    loop, size = asyncio.get_running_loop(), 0
    while data := await loop.sock_recv(sock, 1 << 16):
        size += len(data)
    return size


async def send_and_end(sock: socket.socket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(sock, data)
    sock.shutdown(socket.SHUT_WR)


def test_what_goes_up_and_comes_down_is_counted_to_the_byte() -> None:
    async def act(pair: Pair) -> None:
        pair.relay.start(b"accepted", b"early")
        arrived = await asyncio.gather(
            send_and_end(pair.client, MEGABYTE),
            send_and_end(pair.server, MEGABYTE[:-7]),
            read_all(pair.server),
            read_all(pair.client),
        )
        assert arrived[2:] == [len(MEGABYTE) + 5, len(MEGABYTE) - 7 + 8]

    # What the gateway itself says to the client is none of the server's bytes.
    assert with_relay(act) == (len(MEGABYTE) + 5, len(MEGABYTE) - 7)


def test_after_half_a_connection_ended_the_other_half_is_counted() -> None:
    async def act(pair: Pair) -> None:
        pair.relay.start()
        await send_and_end(pair.client, b"question")
        assert await read_all(pair.server) == 8
        assert pair.counted == (8, 0)
        sent = send_and_end(pair.server, MEGABYTE)
        assert await asyncio.gather(sent, read_all(pair.client)) == [None, len(MEGABYTE)]

    assert with_relay(act) == (8, len(MEGABYTE))


def test_a_connection_without_a_byte_carries_none() -> None:
    async def act(pair: Pair) -> None:
        pair.relay.start()
        pair.client.shutdown(socket.SHUT_WR)
        pair.server.shutdown(socket.SHUT_WR)

    assert with_relay(act) == (0, 0)


def test_what_a_server_does_not_read_is_not_counted_as_sent() -> None:
    """It is held for a slow server, and is gone with the connection."""

    async def act(pair: Pair) -> None:
        loop = asyncio.get_running_loop()
        pair.relay.start()
        sending = loop.create_task(loop.sock_sendall(pair.client, 8 * MEGABYTE))
        arrived = len(await loop.sock_recv(pair.server, 1 << 16))
        pair.relay.close()
        with suppress(OSError):
            await sending
        with suppress(BlockingIOError, ConnectionError):
            while data := pair.server.recv(1 << 16):
                arrived += len(data)
        assert 0 < arrived == pair.meter.up < 8 * len(MEGABYTE)

    with_relay(act)


def test_a_long_connection_is_counted_while_it_is_open() -> None:
    async def act(pair: Pair) -> None:
        pair.relay.start()
        for size in (1, 2, 3):
            await asyncio.get_running_loop().sock_sendall(pair.client, b"x")
            assert len(await asyncio.get_running_loop().sock_recv(pair.server, 9)) == 1
            assert pair.counted == (size, 0)
        pair.relay.close()

    with_relay(act)


def test_a_stream_counts_no_less_than_what_got_away_when_it_breaks() -> None:
    near, far = socket.socketpair()
    meter = Meter("a.example")

    async def run() -> int:
        near.setblocking(False)
        stream = PlainStream(near, meter)
        far.sendall(b"answer")
        assert await stream.receive(3) == b"ans"
        assert await stream.receive_into(memoryview(bytearray(9))) == 3
        sending = asyncio.create_task(stream.send(8 * MEGABYTE))
        await asyncio.sleep(0)
        arrived = len(far.recv(1 << 16))
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        far.setblocking(False)
        with suppress(BlockingIOError):
            while data := far.recv(1 << 16):
                arrived += len(data)
        return arrived

    with near, far:
        assert 0 < asyncio.run(run()) <= meter.up == 8 * len(MEGABYTE)
    assert meter.down == 6


class Reports:
    """What meters say, to a reader that may have no room; time is set by hand."""

    def __init__(self) -> None:
        self.said: list[tuple[str, int, int]] = []
        self.full, self.now = False, 0.0
        self.meters = Meters(self._say, lambda: self.now)

    def _say(self, name: str, up: int, down: int) -> bool:
        if not self.full:
            self.said.append((name, up, down))
        return not self.full

    def at(self, name: str, reason: str = "allowed") -> Meter:
        return self.meters.of(Judgement(name, True, reason))

    def after_tick(self, seconds: float = 1.0) -> list[tuple[str, int, int]]:
        """What the tick after these seconds says."""
        self.said.clear()
        self.now += seconds
        self.meters.tick()
        return list(self.said)


def test_all_connections_to_a_name_have_one_count_and_it_is_said_when_it_changed() -> None:
    reports = Reports()
    reports.at("a.example").up += 5
    reports.at("a.example").down += 7
    assert reports.after_tick() == [("a.example", 5, 7)]
    assert reports.after_tick() == []
    reports.at("a.example").up += 1
    assert reports.after_tick() == [("a.example", 6, 7)]


def test_a_long_transfer_is_no_flood_of_reports_and_none_of_it_is_forgotten() -> None:
    reports = Reports()
    meter = reports.at("a.example")
    said = []
    for _ in range(3600):
        meter.up += 1_000_000
        said += reports.after_tick()
    assert len(said) < 500
    for _ in range(10):
        said += reports.after_tick()
    assert said[-1] == ("a.example", 3_600_000_000, 0)


def test_names_beyond_the_bound_share_a_count_and_no_byte_is_lost() -> None:
    reports = Reports()
    for number in range(MOST_NAMES + 50):
        reports.at(f"n{number}.example").up += 2
        reports.at(f"n{number}.example").down += 3
    reports.meters.report_all()
    assert len(reports.said) == MOST_NAMES + 1
    assert ("", 100, 150) in reports.said
    assert sum(up for _, up, _ in reports.said) == 2 * (MOST_NAMES + 50)


def test_of_many_names_that_change_each_has_its_turn() -> None:
    reports = Reports()
    heard: set[str] = set()
    for _ in range(1 + MOST_NAMES // REPORTS_IN_A_TICK):
        for number in range(MOST_NAMES):
            reports.at(f"n{number}.example").up += 1000
        said = reports.after_tick()
        assert len(said) <= REPORTS_IN_A_TICK
        heard |= {name for name, _, _ in said}
    assert len(heard) == MOST_NAMES


def test_a_report_that_found_no_room_comes_later() -> None:
    reports = Reports()
    reports.at("a.example").up += 5
    reports.full = True
    assert reports.after_tick() == []
    reports.full = False
    assert reports.after_tick() == [("a.example", 5, 0)]


def test_a_service_of_the_project_is_no_name_that_bytes_leave_for() -> None:
    reports = Reports()
    reports.at("db", "service").up += 9
    assert reports.after_tick() == []


@pytest.mark.parametrize("name", ["a.example", ""])
def test_a_reader_that_comes_later_is_told_every_count(name: str) -> None:
    reports = Reports()
    meter = reports.at(name)
    meter.up += 5
    reports.after_tick()
    reports.said.clear()
    reports.meters.report_all()
    assert reports.said == [(name, 5, 0)]
