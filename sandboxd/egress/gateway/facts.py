"""Facts about this process and its network, read from the kernel."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
from typing import NamedTuple

_GET_ADDRESS = 0x8915
_UP_GATEWAY = 0x0003
_DISCARD = 9


class WayOut(NamedTuple):
    """The default route: its interface; '' without one."""

    interface: str
    router: str
    """The router on the way out: on a network of containers, the host itself."""
    ipv6: bool
    """Whether that interface leads out by IPv6, too."""
    is_inner: bool = False
    """Whether clients come by the same one, as in a Pod."""

    @property
    def device(self) -> str:
        """The interface that sockets are bound to, so that nothing leaves by the inner one; '' for none."""
        return "" if self.is_inner else self.interface


def status() -> dict[str, str]:
    """The fields of /proc/self/status."""
    with open("/proc/self/status") as file:
        return {key: value.strip() for key, value in (line.split(":", 1) for line in file)}


def interface_of(address: str) -> str:
    """The interface that has `address`.

    :raises OSError: there is none
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode())
            try:
                packed = fcntl.ioctl(probe, _GET_ADDRESS, request)[20:24]
            except OSError:
                continue
            if socket.inet_ntoa(packed) == address:
                return name
    raise OSError(f"no interface has the address {address}")


def way_out() -> WayOut:
    """The default route."""
    interface = router = ""
    with open("/proc/net/route") as file:
        for row in list(file)[1:]:
            name, target, gateway, flags, *_, mask, _, _, _ = row.split()
            if target == mask == "00000000" and int(flags, 16) & _UP_GATEWAY:
                interface = name
                router = socket.inet_ntoa(struct.pack("=I", int(gateway, 16)))
                break
    try:
        with open("/proc/net/ipv6_route") as file:
            rows = [row.split() for row in file]
    except OSError:
        rows = []
    zero = "0" * 32
    ipv6 = any(
        row[0] == zero and row[1] == "00" and row[4] != zero and row[9] == interface for row in rows
    )
    return WayOut(interface, router, ipv6)


def ip_forward() -> bool:
    """Whether the kernel forwards packets from one interface to another."""
    return _read("net/ipv4/ip_forward") != "0"


def has_ipv6(interface: str) -> bool:
    """Whether `interface` may have IPv6 addresses."""
    return _read(f"net/ipv6/conf/{interface}/disable_ipv6", missing="1") != "1"


def ask_neighbour(address: str) -> None:
    """Make the kernel ask for the hardware address of `address`, by a datagram; `neighbour` has the answer."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
        contextlib.suppress(OSError),
    ):
        sock.sendto(b"", (address, _DISCARD))


def neighbour(address: str) -> bool:
    """Whether `address` answered with its hardware address."""
    with open("/proc/net/arp") as file:
        rows = [row.split() for row in file]
    return any(row[0] == address and row[2] != "0x0" for row in rows[1:])


def memory_kib() -> int:
    """The resident memory of this process, in KiB."""
    return int(status()["VmRSS"].split()[0])


def nameservers() -> list[str]:
    """The servers of /etc/resolv.conf."""
    try:
        with open("/etc/resolv.conf") as file:
            rows = [line.split() for line in file]
    except OSError:
        return []
    return [row[1] for row in rows if row[:1] == ["nameserver"] and len(row) > 1]


def _read(name: str, missing: str = "") -> str:
    """The value of a kernel switch; one that cannot be read counts as set wrongly."""
    try:
        with open(f"/proc/sys/{name}") as file:
            return file.read().strip()
    except FileNotFoundError:
        return missing
    except OSError:
        return ""
