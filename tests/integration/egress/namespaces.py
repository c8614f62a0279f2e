"""Three machines in one: a workspace, a gateway and an internet, each a network namespace.

    workspace 198.18.4.1 -- inner network -- 198.18.0.2 gateway 93.184.0.2 -- 93.184.0.1 ... internet

The internet's addresses are public ones, since others are never dialled; nothing leaves the machine.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator

from sandboxd.egress.layout import inner_addresses

PLACE = inner_addresses("198.18.0.0/19")
WORKSPACE, GATEWAY_OUTSIDE = "198.18.4.1", "93.184.0.2"
INTERNET = "93.184.0.1"
ROUTER = "93.184.0.254"
MORE_INTERNET = ("93.184.0.10", "93.184.0.11", "93.184.0.12")
INTERNET_6 = "2606:4700::1"
_GATEWAY_6 = "2606:4700::2"
METADATA = "169.254.169.254"
_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


class CannotMake(Exception):
    """This machine does not let us make network namespaces."""


class Namespaces:
    """Made at once, and gone with `close`."""

    def __init__(self) -> None:
        name = f"sbx{os.getpid() % 100000}"
        self.workspace, self.gateway, self.internet = f"{name}w", f"{name}g", f"{name}i"
        self._made: list[str] = []
        try:
            self._make()
        except (OSError, subprocess.CalledProcessError) as error:
            self.close()
            raise CannotMake(str(getattr(error, "stderr", "") or error)) from None

    def close(self) -> None:
        while self._made:
            subprocess.run(["ip", "netns", "del", self._made.pop()], check=False)

    @contextlib.contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Sockets that are made meanwhile belong to the namespace `name`."""
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        other = os.open(f"/run/netns/{name}", os.O_RDONLY)
        try:
            _enter(other)
            try:
                yield
            finally:
                _enter(own)
        finally:
            os.close(own)
            os.close(other)

    def new_socket(
        self, name: str, kind: int = socket.SOCK_STREAM, family: int = socket.AF_INET
    ) -> socket.socket:
        """A socket of the namespace `name`, usable from everywhere."""
        with self.inside(name):
            return socket.socket(family, kind)

    def listener(self, address: str, port: int, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """A server's socket on the internet."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = self.new_socket(self.internet, kind, family)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        if kind == socket.SOCK_STREAM:
            sock.listen(128)
        return sock

    def sysctl(self, name: str, key: str, value: str) -> None:
        with self.inside(name), open(f"/proc/sys/{key}", "w") as file:
            file.write(value)

    def _make(self) -> None:
        for name in (self.workspace, self.gateway, self.internet):
            _ip("netns", "add", name)
            self._made.append(name)
            # Machines begin with different filters, and a new namespace with its machine's: here with the
            # one that lets an attacker try the most.
            for each in ("all", "default"):
                self.sysctl(name, f"net/ipv4/conf/{each}/rp_filter", "0")
            _ip("-n", name, "link", "set", "lo", "up")
        self._wire(self.workspace, "inner", self.gateway, "inner")
        self._wire(self.gateway, "outer", self.internet, "outer")
        _ip("-n", self.workspace, "addr", "add", f"{WORKSPACE}/19", "dev", "inner")
        _ip("-n", self.gateway, "addr", "add", f"{PLACE.gateway}/19", "dev", "inner")
        _ip("-n", self.gateway, "addr", "add", f"{GATEWAY_OUTSIDE}/24", "dev", "outer")
        for address in (
            f"{INTERNET}/24",
            f"{ROUTER}/24",
            *(f"{more}/24" for more in MORE_INTERNET),
            f"{METADATA}/32",
        ):
            _ip("-n", self.internet, "addr", "add", address, "dev", "outer")
        _ip("-n", self.internet, "addr", "add", f"{INTERNET_6}/64", "dev", "outer", "nodad")
        _ip("-n", self.gateway, "addr", "add", f"{_GATEWAY_6}/64", "dev", "outer", "nodad")
        for name, interface in ((self.workspace, "inner"), (self.gateway, "inner"),
                                (self.gateway, "outer"), (self.internet, "outer")):  # fmt: skip
            _ip("-n", name, "link", "set", interface, "up")
        _ip("-n", self.gateway, "route", "add", "default", "via", ROUTER)
        self.sysctl(self.gateway, "net/ipv4/ip_unprivileged_port_start", "0")
        self.sysctl(self.gateway, "net/ipv4/ip_forward", "0")
        self.sysctl(self.gateway, "net/ipv6/conf/inner/disable_ipv6", "1")

    def route_ipv6(self) -> None:
        """Give the gateway a way out by IPv6, too."""
        _ip("-n", self.gateway, "-6", "route", "replace", "default", "via", INTERNET_6)

    def _wire(self, one: str, one_interface: str, other: str, other_interface: str) -> None:
        _ip("link", "add", one_interface, "netns", one, "type", "veth",
            "peer", "name", other_interface, "netns", other)  # fmt: skip


def _enter(file: int) -> None:
    if _LIBC.setns(file, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
