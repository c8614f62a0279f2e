"""The relay's end in the sandbox, on standard input and output. Sent behind the texts of `frames`, `relay` and `pipes`."""

from __future__ import annotations

import errno
import select
import socket
import sys

from sandboxd.inside.frames import Broken
from sandboxd.inside.pipes import Pipes
from sandboxd.inside.relay import Relay

_ANSWER_SECONDS = 0.2
"""Seconds that a port of this sandbox may take to refuse: within one machine that comes at once."""


def dial(target: str) -> socket.socket:
    """Begin a connection to a port of this sandbox (127.0.0.1, else ::1), or of an IPv4 address.

    :raises OSError: nothing listens there
    :raises ValueError: `target` is no port
    """
    host, _, number = target.rpartition(":")
    port = int(number)
    if not 0 < port < 65536:
        raise ValueError("there is no such port")
    if host:
        return _dial_other(host, port)
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            connection = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            continue  # no IPv6
        if _begin(connection, address, port):
            return connection
        connection.close()
    raise OSError(errno.ECONNREFUSED, "nothing listens there")


def _begin(connection: socket.socket, address: str, port: int) -> bool:
    """Begin a connection to a port of this sandbox; False where nothing listens there.

    A server that accepts nothing has a full queue: that one waits, and no other connection with it.
    """
    connection.setblocking(False)
    error = connection.connect_ex((address, port))
    if error != errno.EINPROGRESS:
        return error == 0
    waiting = select.poll()
    waiting.register(connection, select.POLLOUT)
    answers = waiting.poll(1000 * _ANSWER_SECONDS)
    return not answers or connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def _dial_other(host: str, port: int) -> socket.socket:
    """Begin a connection to an IPv4 address, without waiting for its answer."""
    socket.inet_aton(host)  # a name would be waited for
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    connection.setblocking(False)
    error = connection.connect_ex((host, port))
    if error in (0, errno.EINPROGRESS):
        return connection
    connection.close()
    raise OSError(error, "it cannot be reached")


def main() -> int:
    relay = Relay(Pipes(), dial)
    try:
        while relay.turn(None):
            pass
    except (OSError, Broken):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
