"""Bait that runs on the host for attempts to find from inside: a process, and listeners that send a secret.

All of it ends with this process, however that ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import socket
import struct
import subprocess
import threading
from typing import TYPE_CHECKING

from sandboxd.host import network_thread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CLONE_NEWNET = 0x40000000


class Marker:
    """A process with one secret on its command line and another in its environment."""

    def __init__(self) -> None:
        self.word = f"sandboxd-marker-{secrets.token_hex(6)}"
        self.variable = f"SANDBOXD_CANARY_{secrets.token_hex(4).upper()}"
        self.command_secret = secrets.token_hex(16)
        self.environ_secret = secrets.token_hex(16)
        # It waits for its standard input, so it ends with this process even when that is killed.
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", "read wait", self.word, self.command_secret],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={self.variable: self.environ_secret},
        )

    def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


class Banner:
    """A listener that sends its secret to every client."""

    def __init__(self, listener: socket.socket) -> None:
        self.secret = secrets.token_hex(16)
        self._listener = listener
        listener.listen(8)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def close(self) -> None:
        # shutdown ends the blocked accept(), close alone would not.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.sendall(self.secret.encode())


class Mailbox:
    """Collects the datagrams that arrive at a port."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        listener.setblocking(False)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def close(self) -> None:
        self._listener.close()

    def texts(self) -> dict[str, str]:
        """The texts that arrived since the last call, each with the address of the sender."""
        arrived = {}
        with contextlib.suppress(BlockingIOError):
            while True:
                data, sender = self._listener.recvfrom(256)
                arrived[data.decode("utf-8", "replace")] = str(sender[0])
        return arrived


def mailbox(pid: int, family: socket.AddressFamily) -> Mailbox:
    """Listen for datagrams at all addresses of a family, in the network namespace of the process `pid`.

    :raises OSError: the family does not exist there
    """
    with network_of(pid):
        listener = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", 0))  # noqa: S104 - whichever is reached
    except OSError:
        listener.close()
        raise
    return Mailbox(listener)


def tcp(address: str, pid: int) -> Banner:
    """Listen at `address`, on any free port, in the network namespace of the process `pid`.

    :raises OSError: the address does not exist there
    """
    with network_of(pid):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.bind((address, 0))
    except OSError:
        listener.close()
        raise
    return Banner(listener)


def abstract(pid: int) -> tuple[str, Banner]:
    """Listen on a new abstract socket name in the network namespace of the process `pid`; return name and listener."""
    name = f"sandboxd-canary-{secrets.token_hex(6)}"
    with network_of(pid):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind("\0" + name)
    return name, Banner(listener)


def engine_pid(host: str) -> int:
    """The id of a thread of the engine in the engine's own network; this process's, if it cannot be determined."""
    if not host.startswith("unix://"):
        return os.getpid()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        try:
            connection.connect(host.removeprefix("unix://"))
            peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        except OSError:
            return os.getpid()
    pid = int(struct.unpack("iII", peer)[0])
    return network_thread.of_process(pid) if pid else os.getpid()


def namespaces(pids: Iterable[int]) -> dict[str, frozenset[str]]:
    """The namespaces of host processes, by kind."""
    by_kind: dict[str, set[str]] = {}
    for pid in pids:
        for kind in ("mnt", "pid", "net", "user", "uts", "ipc", "cgroup"):
            with contextlib.suppress(OSError):
                by_kind.setdefault(kind, set()).add(os.readlink(f"/proc/{pid}/ns/{kind}"))
    return {kind: frozenset(values) for kind, values in by_kind.items()}


def reaches_network(pid: int) -> bool:
    """Whether this process is in the network namespace of the process `pid`, or can enter it."""
    with network_of(pid) as there:
        return there


@contextlib.contextmanager
def network_of(pid: int) -> Iterator[bool]:
    """Enter the network namespace of a process within the block, so that sockets created there belong to it.

    Only this thread changes its namespace. The value is False, and nothing changes, if the namespace may not be
    examined or entered.
    """
    ours = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    libc = ctypes.CDLL(None, use_errno=True)
    moved = same = False
    try:
        with contextlib.suppress(OSError):
            theirs = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            same = os.path.sameopenfile(ours, theirs)
            moved = not same and libc.setns(theirs, _CLONE_NEWNET) == 0
            os.close(theirs)
        yield same or moved
    finally:
        if moved:
            libc.setns(ours, _CLONE_NEWNET)
        os.close(ours)
