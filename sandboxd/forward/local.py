"""Listens on ports of this machine, and names the program that uses a port already."""

from __future__ import annotations

import contextlib
import errno
import glob
import ipaddress
import os
import socket
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.forward.listening import sockets

if TYPE_CHECKING:
    from sandboxd.forward.ports import Wish

LOOPBACK = "127.0.0.1"
_BACKLOG = 128
_TRIES = 50
_DAEMON = " -m sandboxd daemon run"
"""In the command line of sandboxd's daemon, whoever started it."""


def listen(wish: Wish, address: str = LOOPBACK) -> socket.socket:
    """A listening socket for `wish`; if its port is taken and need not be that one, on one of the next ports.

    :param address: an IP address of this machine
    :raises EnvironmentFailure: the port is taken, or needs a privilege
    :raises UsageError: `address` is no address of this machine
    """
    tries = 1 if wish.is_fixed else _TRIES
    for port in range(wish.local, min(wish.local + tries, 65536)):
        try:
            return _bind(address, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and port + 1 < wish.local + tries:
                continue
            raise _reason(error, wish, address) from None
    raise _reason(OSError(errno.EADDRINUSE, ""), wish, address)


def is_loopback(address: str) -> bool:
    """Whether `address` can be reached from this machine only.

    :raises UsageError: it is no IP address
    """
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        raise UsageError(
            f"`{address}` is no address", "write one of this machine, as `127.0.0.1`"
        ) from None


def _bind(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A connection of before, which the kernel still remembers, is nobody who has the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _reason(error: OSError, wish: Wish, address: str) -> EnvironmentFailure | UsageError:
    port = wish.local
    if error.errno == errno.EADDRINUSE:
        owner = owner_of(port)
        other = f"`sandboxd forward {wish.inside}:{port + 1 if port < 65535 else 8080}`"
        if _DAEMON in owner:
            return EnvironmentFailure(
                f"port `{port}` of this machine is taken by sandboxd's daemon, for `forwardPorts` of a project",
                f"`sandboxd status` names what is open; to choose another one: {other}",
            )
        return EnvironmentFailure(
            f"port `{port}` of this machine is taken{f' by {owner}' if owner else ''}",
            f"choose another one: {other}",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return EnvironmentFailure(
            f"this user may not listen on port `{port}`",
            f"choose one above 1023: `sandboxd forward {wish.inside}:{8000 + wish.inside % 1000}`",
        )
    return UsageError(
        f"`{address}` cannot be listened on: {(error.strerror or str(error)).lower()}",
        "name an address of this machine, or leave `--address` out",
    )


def owner_of(port: int) -> str:
    """The program that listens on `port` of this machine, for a person; '' where that is not known."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError), open(table, encoding="ascii") as file:
            inodes |= {
                f"socket:[{inode}]" for number, inode in sockets(file.read()) if number == port
            }
    for descriptor in glob.iglob("/proc/[0-9]*/fd/*") if inodes else ():
        with contextlib.suppress(OSError):
            if os.readlink(descriptor) in inodes:
                return _program(descriptor.split("/")[2])
    return ""


def _program(process: str) -> str:
    with contextlib.suppress(OSError), open(f"/proc/{process}/cmdline", "rb") as file:
        words = file.read(200).decode("utf-8", "replace").replace("\0", " ").strip()
        return f"`{words}` (process {process})"
    return f"process {process}"
