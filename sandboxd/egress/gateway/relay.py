"""Copies bytes both ways between two sockets, at the speed of the slower reader, and counts them.

The sockets are read and written here and not by transports of asyncio: those keep what cannot be written at
once (from Python 3.12 on even the caller's own buffer), so one buffer would not do for all connections, and
an idle connection would hold several objects of a kilobyte each."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from sandboxd.egress.gateway.first_bytes import FirstBytes, Refused
from sandboxd.egress.gateway.meters import Meter
from sandboxd.egress.gateway.sockets import reset
from sandboxd.egress.gateway.turns import TURNS

CLIENT, SERVER = 0, 1

_BUFFER = memoryview(bytearray(1 << 18))  # nothing stays in it between two events
_SCARCE_READ, _MOST_WAITING = 1 << 12, 24 << 20
_ROUNDS = 4


class Waiting:
    """The number of bytes that all relays hold for slow readers; reads get smaller when it is large."""

    bytes = 0


class Relay:
    """Copies bytes between two sockets; ends by itself, or by `close`."""

    __slots__ = ("_check", "_closed", "_cut", "_ended", "_finished", "_loop", "_meter", "_paused", "_refused", "_sides",
                 "_waiting", "_writing")  # fmt: skip

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        client: socket.socket,
        server: socket.socket,
        meter: Meter,
        ended: Callable[[], None],
        check: FirstBytes | None = None,
        refused: Callable[[Refused], None] | None = None,
        cut: Callable[[], None] | None = None,
    ) -> None:
        """:param meter: counts what is sent to the server and received from it
        :param check: checks the client's first bytes
        :param refused: called when they are refused, before both ends are reset
        :param cut: called when the server's end is reset before any byte came from there
        """
        self._loop, self._sides = loop, (client, server)
        self._meter, self._ended = meter, ended
        self._check, self._refused, self._cut = check, refused, cut
        self._waiting: list[memoryview | None] = [None, None]  # for this side
        self._finished = [False, False]  # this side sends no more
        self._paused, self._writing = [True, True], [False, False]
        self._closed = False

    def start(self, to_client: bytes = b"", to_server: bytes = b"") -> None:
        """Begin to copy; the bytes that were read from the ends before are sent first."""
        try:
            if to_server:
                self._pass(CLIENT, to_server)
            if to_client:
                self._send(CLIENT, to_client)
        except OSError:
            self.close()
        for side in (CLIENT, SERVER):
            self._resume(side)

    def close(self) -> None:
        """End now; directions that are not finished are reset."""
        if self._closed:
            return
        self._closed = True
        orderly = self._finished == [True, True]
        for side in (CLIENT, SERVER):
            sock, waiting = self._sides[side], self._waiting[side]
            if waiting is not None:
                Waiting.bytes -= len(waiting)
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
            if orderly:
                sock.close()
            else:
                reset(sock)
        self._ended()

    def _readable(self, side: int) -> None:
        sock = self._sides[side]
        # Each has its part of a turn in which others have taken the time.
        is_late = TURNS.is_over()
        try:
            for _ in range(1 if is_late else _ROUNDS):
                is_scarce = is_late or Waiting.bytes >= _MOST_WAITING
                room = _SCARCE_READ if is_scarce else len(_BUFFER)
                size = sock.recv_into(_BUFFER, room)
                if not size:
                    self._finish(side)
                    return
                if side == SERVER:
                    self._meter.down += size
                    self._cut = None
                if self._check is not None and side == CLIENT:
                    self._pass(side, bytes(_BUFFER[:size]))
                else:
                    self._send(1 - side, _BUFFER[:size])
                if self._closed or self._waiting[1 - side] is not None or size < room:
                    return
        except BlockingIOError:
            return
        except (OSError, MemoryError) as error:
            if side == SERVER and self._cut and isinstance(error, ConnectionResetError):
                self._cut()
            self.close()

    def _pass(self, side: int, data: bytes) -> None:
        """Pass the client's bytes on once the first of them passed the check, else close."""
        if self._check is not None:
            try:
                data = self._check.feed(data)
            except Refused as refusal:
                if self._refused:
                    self._refused(refusal)
                self.close()
                return
            if self._check.decided:
                self._check = self._refused = None
        if data:
            self._send(1 - side, data)

    def _send(self, side: int, data: memoryview | bytes) -> None:
        """Write to `side` what fits, keep a copy of the rest and read no more until it is gone."""
        try:
            sent = self._sides[side].send(data)
        except BlockingIOError:
            sent = 0
        if side == SERVER:
            self._meter.up += sent
        if sent < len(data):
            rest = memoryview(bytes(data[sent:]))
            old = self._waiting[side]
            self._waiting[side] = rest if old is None else memoryview(bytes(old) + bytes(rest))
            Waiting.bytes += len(rest)
            self._pause(1 - side)
            if not self._writing[side]:
                self._writing[side] = True
                self._loop.add_writer(self._sides[side], self._writable, side)

    def _writable(self, side: int) -> None:
        waiting = self._waiting[side]
        if waiting is not None:
            try:
                sent = self._sides[side].send(waiting)
            except BlockingIOError:
                return
            except (OSError, MemoryError):
                self.close()
                return
            Waiting.bytes -= sent
            if side == SERVER:
                self._meter.up += sent
            if sent < len(waiting):
                self._waiting[side] = waiting[sent:]
                return
        self._waiting[side] = None
        self._writing[side] = False
        self._loop.remove_writer(self._sides[side])
        if self._finished[1 - side]:
            self._shut(side)
        else:
            self._resume(1 - side)

    def _finish(self, side: int) -> None:
        """Handle the end of `side`'s data: the other end is told once it has received everything."""
        if side == CLIENT and self._check is not None and self._check.holds:
            self.close()  # TLS that never came to say for which server
            return
        self._finished[side] = True
        self._pause(side)
        if self._waiting[1 - side] is None:
            self._shut(1 - side)

    def _shut(self, side: int) -> None:
        try:
            self._sides[side].shutdown(socket.SHUT_WR)
        except OSError:
            self.close()
            return
        if self._finished == [True, True] and self._waiting == [None, None]:
            self.close()

    def _pause(self, side: int) -> None:
        if not self._paused[side]:
            self._paused[side] = True
            self._loop.remove_reader(self._sides[side])

    def _resume(self, side: int) -> None:
        if self._closed or self._finished[side] or self._waiting[1 - side] is not None:
            return
        if self._paused[side]:
            self._paused[side] = False
            self._loop.add_reader(self._sides[side], self._readable, side)
