"""Sockets for the gateway: each on one interface, non-blocking."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import struct
from collections.abc import Callable

_BACKLOG, _AT_ONCE = 512, 16
_NO_LINGER = struct.pack("ii", 1, 0)
_FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_PAUSE = 0.2


def bound(kind: socket.SocketKind, interface: str, address: str, port: int) -> socket.socket:
    """An IPv4 socket at `address`, for what arrives by `interface` alone; a stream socket listens.

    :param interface: '' for every interface
    :raises OSError: the address is in use, or does not exist here
    """
    sock = socket.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # A port of the policy may be one of ours on our own address: the more exact one is served.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        to_device(sock, interface)
        sock.bind((address, port))
        if kind == socket.SOCK_STREAM:
            sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def to_device(sock: socket.socket, interface: str) -> None:
    """Bind to `interface`, whatever the routes say; '' leaves it to the routes."""
    if not interface:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())


def stream_options(sock: socket.socket) -> None:
    """Send small pieces at once, and notice a peer that vanished."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 300)


def reset(sock: socket.socket) -> None:
    """Close with RST, which a client takes for a refusal and not for an empty answer."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    sock.close()


class Listener:
    """Passes each new connection to `accepted`; refuses it while there are no file descriptors left."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        accepted: Callable[[socket.socket], None],
        full: Callable[[], None],
    ) -> None:
        """:param full: called when connections had to be refused unseen"""
        self._loop, self._sock = loop, sock
        self._accepted, self._full = accepted, full
        self._pause: asyncio.TimerHandle | None = None
        loop.add_reader(sock, self._accept)

    def close(self) -> None:
        if self._pause:
            self._pause.cancel()
        self._loop.remove_reader(self._sock)
        self._sock.close()

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                client, _ = self._sock.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno in _FULL:
                    self._refuse()
                return
            client.setblocking(False)
            self._accepted(client)

    def _refuse(self) -> None:
        """Take and reset a connection by the spare descriptor, instead of leaving it to wait."""
        self._full()
        SPARE.release()
        with contextlib.suppress(OSError):
            for _ in range(_AT_ONCE):
                reset(self._sock.accept()[0])
        SPARE.take()
        self._loop.remove_reader(self._sock)
        self._pause = self._loop.call_later(_PAUSE, self._resume)

    def _resume(self) -> None:
        self._pause = None
        self._loop.add_reader(self._sock, self._accept)


class Spare:
    """A spare file descriptor, to be freed when all others are in use."""

    def __init__(self) -> None:
        self._file = -1

    def take(self) -> None:
        if self._file < 0:
            with contextlib.suppress(OSError):
                self._file = os.open("/", os.O_PATH | os.O_CLOEXEC)

    def release(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


SPARE = Spare()
