"""Many connections over one stream: the same code outside, where they are accepted, and inside, where they are dialled.

The stream is the engine's connection to one command. Each connection has a window, so that a slow one
stops nobody else. Sent into the sandbox behind `frames`: standard library only, for Python 3.8.
"""

from __future__ import annotations

import selectors
import socket

from sandboxd.inside.frames import (
    CLOSE,
    CREDIT,
    DATA,
    END,
    OPEN,
    READY,
    WINDOW,
    Broken,
    Decoder,
    credit_of,
    pack,
    pack_credit,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Trunk(Protocol):
        """The stream, not blocking."""

        def receive(self) -> bytes | None:
            """The bytes that arrived; None for nothing yet, empty at the end."""

        @property
        def has_more(self) -> bool:
            """Whether `receive` returned None although more may have arrived."""

        def send(self, data: memoryview) -> int:
            """Send a part; returns its size, 0 where there is no room."""

        @property
        def reader(self) -> int:
            """The descriptor to wait on for `receive`."""

        @property
        def writer(self) -> int:
            """The descriptor to wait on for `send`."""


_SIZE = 64 * 1024
_MOST_WAITING = 1024 * 1024
"""Bytes that wait for the stream before no connection is read any more."""
_MOST_READS = 16
"""Pieces of the stream that one turn reads: whoever is there may send faster than they are handled, and for ever."""
_MOST_LINKS = 1000
_MOST_WORDS = 200
"""Characters of the other end's reason that are told: whoever is there chooses them."""


class _Link:
    """One connection at this end."""

    def __init__(self, number: int, connection: socket.socket, target: str) -> None:
        self.number = number
        self.connection = connection
        self.target = target
        self.is_connecting = False
        self.waiting = bytearray()
        """Bytes that came for the connection and were not written yet."""
        self.credit = WINDOW
        """Bytes that the other end still takes of those read here."""
        self.owed = 0
        """Bytes that were written here and are to be credited."""
        self.has_ended = False
        """Whether the connection has nothing more to say."""
        self.other_has_ended = False
        self.events = 0


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _words(content: bytes) -> str:
    """The reason that the other end gave, on one line and cut to a length."""
    return " ".join(content[: 4 * _MOST_WORDS].decode("utf-8", "replace").split())[:_MOST_WORDS]


class Relay:
    """One end; `turn` in a loop until it returns False."""

    def __init__(
        self,
        trunk: Trunk,
        dial: Callable[[str], socket.socket] | None = None,
        refused: Callable[[str, str], None] | None = None,
    ) -> None:
        """:param dial: begins a connection to a target that the other end names; None: this end accepts
        :param refused: called with a target, and why the other end has no connection to it
        """
        self._trunk = trunk
        self._dial = dial
        self._refused = refused
        self._decoder = Decoder()
        self._out = bytearray()
        self._links: dict[int, _Link] = {}
        self._listeners: dict[int, tuple[socket.socket, str]] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(trunk.reader, selectors.EVENT_READ, None)
        self._trunk_events = 0
        self._is_unread = False
        """Whether more of the stream has arrived than the last turn read."""
        self._last = 0
        """The highest number that a connection has had."""
        self.is_ready = dial is not None
        """Whether the other end has said that it is there."""
        if dial is not None:
            self._frame(READY, 0)

    def listen(self, listener: socket.socket, target: str) -> None:
        """Accept connections for `target` as soon as the other end is ready."""
        listener.setblocking(False)
        self._listeners[listener.fileno()] = (listener, target)
        if self.is_ready:
            self._selector.register(listener, selectors.EVENT_READ, "listener")

    def wake_by(self, descriptor: int) -> None:
        """End a turn as soon as `descriptor` is readable."""
        self._selector.register(descriptor, selectors.EVENT_READ, "wake")

    def close(self) -> None:
        """Close all connections; listeners and the stream are the caller's."""
        for link in list(self._links.values()):
            link.connection.close()
        self._links.clear()
        self._selector.close()

    def turn(self, seconds: float | None) -> bool:
        """Wait for the next events and handle them; False at the end of the stream.

        It ends soon, whatever the other end sends.

        :raises Broken: the other end breaks the protocol
        :raises OSError: the stream broke
        """
        self._watch()
        ready = self._selector.select(0 if self._is_unread else seconds)
        has_data = any(
            key.data is None and key.fd == self._trunk.reader and events & selectors.EVENT_READ
            for key, events in ready
        )
        if (has_data or self._is_unread) and not self._read_trunk():
            return False
        for key, events in ready:
            if key.data is None:
                continue
            if key.data == "listener":
                self._accept(key.fd)
            elif key.data != "wake" and key.data in self._links:
                self._serve(self._links[key.data], events)
        self._write_trunk()
        return True

    def _watch(self) -> None:
        """Register for the events that can be handled now."""
        has_room = len(self._out) < _MOST_WAITING
        for link in self._links.values():
            events = 0
            if link.is_connecting or link.waiting:
                events |= selectors.EVENT_WRITE
            if has_room and link.credit and not (link.has_ended or link.is_connecting):
                events |= selectors.EVENT_READ
            self._change(link.connection.fileno(), link.events, events, link.number)
            link.events = events
        wants = selectors.EVENT_WRITE if self._out else 0
        if self._trunk.writer == self._trunk.reader:
            self._selector.modify(self._trunk.reader, selectors.EVENT_READ | wants, None)
        elif wants != self._trunk_events:
            self._change(self._trunk.writer, self._trunk_events, wants, None)
            self._trunk_events = wants

    def _change(self, descriptor: int, before: int, events: int, data: int | None) -> None:
        if before == events:
            return
        if not events:
            self._selector.unregister(descriptor)
        elif before:
            self._selector.modify(descriptor, events, data)
        else:
            self._selector.register(descriptor, events, data)

    def _frame(self, kind: int, number: int, content: bytes = b"") -> None:
        self._out += pack(kind, number, content)

    def _write_trunk(self) -> None:
        while self._out:
            with memoryview(self._out) as view:
                size = self._trunk.send(view[: 4 * _SIZE])
            if not size:
                return
            del self._out[:size]

    def _read_trunk(self) -> bool:
        self._is_unread = True
        for _ in range(_MOST_READS):
            data = self._trunk.receive()
            if data is None:
                self._is_unread = self._trunk.has_more
                return True
            if not data:
                return False
            for kind, number, content in self._decoder.take(data):
                self._handle(kind, number, content)
        return True

    def _handle(self, kind: int, number: int, content: bytes) -> None:
        if kind == READY:
            self._begin()
        elif kind == OPEN:
            self._open(number, content.decode("utf-8", "replace"))
        elif number > self._last:
            raise Broken("a frame for a connection that nobody opened")
        elif number in self._links:  # else it was closed here meanwhile
            self._hear(self._links[number], kind, content)

    def _hear(self, link: _Link, kind: int, content: bytes) -> None:
        """Handle a frame about one connection.

        :raises Broken: it is not allowed in this state
        """
        if link.other_has_ended and kind in (DATA, END):
            raise Broken("more of a connection than its end")
        if kind == DATA:
            link.waiting += content
            if len(link.waiting) > WINDOW:
                raise Broken("more of a connection than it may")
            if not link.is_connecting:
                self._write(link)
        elif kind == END:
            link.other_has_ended = True
            self._end_if_written(link)
        elif kind == CREDIT:
            link.credit += credit_of(content)
            if link.credit > WINDOW:
                raise Broken("credit for more than was sent")
        elif kind == CLOSE:
            self._forget(link)
            if self._refused is not None and (words := _words(content)):
                self._refused(link.target, words)

    def _begin(self) -> None:
        if self.is_ready:
            raise Broken("twice that it is there")
        self.is_ready = True
        for listener, _ in self._listeners.values():
            self._selector.register(listener, selectors.EVENT_READ, "listener")

    def _accept(self, descriptor: int) -> None:
        listener, target = self._listeners[descriptor]
        try:
            connection, _ = listener.accept()
        except OSError:
            return  # it gave up
        if len(self._links) >= _MOST_LINKS:
            connection.close()
            return
        self._last += 1
        self._add(_Link(self._last, connection, target))
        self._frame(OPEN, self._last, target.encode())

    def _open(self, number: int, target: str) -> None:
        if self._dial is None:
            raise Broken("a wish for a connection to this machine")
        if number <= self._last:
            raise Broken("the number of a connection twice")
        self._last = number
        if len(self._links) >= _MOST_LINKS:
            self._frame(CLOSE, number, b"too many connections")
            return
        try:
            link = _Link(number, self._dial(target), target)
        except (OSError, ValueError) as error:
            self._frame(CLOSE, number, _reason(error).encode("utf-8", "replace"))
            return
        link.is_connecting = True
        self._add(link)

    def _add(self, link: _Link) -> None:
        link.connection.setblocking(False)
        if link.connection.family in (socket.AF_INET, socket.AF_INET6):
            link.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._links[link.number] = link

    def _serve(self, link: _Link, events: int) -> None:
        if link.is_connecting and events:
            error = link.connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                self._drop(link, OSError(error, "nothing listens there"))
                return
            link.is_connecting = False
        if events & selectors.EVENT_WRITE:
            self._write(link)
        if events & selectors.EVENT_READ and link.number in self._links:
            self._read(link)

    def _read(self, link: _Link) -> None:
        try:
            data = link.connection.recv(min(_SIZE, link.credit))
        except BlockingIOError:
            return
        except OSError:
            self._drop(link)
            return
        if data:
            link.credit -= len(data)
            self._frame(DATA, link.number, data)
            return
        link.has_ended = True
        self._frame(END, link.number)
        if link.other_has_ended and not link.waiting:
            self._forget(link)

    def _write(self, link: _Link) -> None:
        try:
            while link.waiting:
                with memoryview(link.waiting) as view:
                    size = link.connection.send(view[:_SIZE])
                del link.waiting[:size]
                link.owed += size
        except BlockingIOError:
            pass
        except OSError:
            self._drop(link)
            return
        if link.owed >= WINDOW // 2:
            self._out += pack_credit(link.number, link.owed)
            link.owed = 0
        self._end_if_written(link)

    def _end_if_written(self, link: _Link) -> None:
        if not link.other_has_ended or link.waiting or link.is_connecting:
            return
        if link.has_ended:
            self._forget(link)
            return
        try:
            link.connection.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(link)

    def _drop(self, link: _Link, error: OSError | None = None) -> None:
        """Close a connection that broke, and report that to the other end."""
        self._frame(CLOSE, link.number, (error.strerror or "").encode() if error else b"")
        self._forget(link)

    def _forget(self, link: _Link) -> None:
        del self._links[link.number]
        if link.events:
            self._selector.unregister(link.connection)
        link.connection.close()
