"""The only part that has privileges: it adds a route, opens a packet socket, and then gives them all up."""

from __future__ import annotations

import array
import errno
import ipaddress
import os
import socket
import struct
from collections.abc import Iterable

_NEW_ROUTE, _REQUEST_CREATE_EXCLUSIVE_ACK = 24, 0x0605
_TABLE_LOCAL, _PROTOCOL_STATIC, _SCOPE_HOST, _TYPE_LOCAL = 255, 4, 254, 2
_DESTINATION, _OUT_INTERFACE = 1, 4
_ATTACH_FILTER, _ETHERTYPE_IPV4 = 26, 0x0800

_ALL_OF_IT, _LOAD_BYTE, _LOAD_HALF, _LOAD_SHORT_INDEXED, _LENGTH_TO_INDEX = (
    0x06,
    0x30,
    0x28,
    0x48,
    0xB1,
)
_LOAD_BYTE_INDEXED, _AND, _IF_EQUAL, _IF_BIT = 0x50, 0x54, 0x15, 0x45
_KEPT_BYTES = 64


def make_local(network: str) -> None:
    """Treat each address of `network` as this machine's: `ip route add local NETWORK dev lo`.

    :raises OSError: the kernel refuses: no NET_ADMIN
    """
    span = ipaddress.IPv4Network(network)
    body = struct.pack(
        "=BBBBBBBBI", socket.AF_INET, span.prefixlen, 0, 0,
        _TABLE_LOCAL, _PROTOCOL_STATIC, _SCOPE_HOST, _TYPE_LOCAL, 0,
    )  # fmt: skip
    body += struct.pack("=HH4s", 8, _DESTINATION, span.network_address.packed)
    body += struct.pack("=HHI", 8, _OUT_INTERFACE, socket.if_nametoindex("lo"))
    head = struct.pack("=IHHII", 16 + len(body), _NEW_ROUTE, _REQUEST_CREATE_EXCLUSIVE_ACK, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as link:
        link.send(head + body)
        code = -struct.unpack_from("=i", link.recv(4096), 16)[0]
    if code not in (0, errno.EEXIST):
        raise OSError(code, f"no route for the synthetic addresses: {os.strerror(code)}")


def syn_watcher(interface: str) -> socket.socket | None:
    """A socket that sees connections begin on `interface`, also to closed ports; None without NET_RAW."""
    try:
        watcher = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, 0)
    except PermissionError:
        return None
    overlook(watcher, ())
    watcher.bind((interface, _ETHERTYPE_IPV4))
    return watcher


def overlook(watcher: socket.socket, ports: Iterable[int]) -> None:
    """Keep the packets for `ports` from the watcher, so that they neither wake us nor fill its queue.

    The kernel filters: the watcher gets TCP packets with SYN and without ACK that are no later fragment.
    """
    program = [
        (_LOAD_HALF, 0, 0, 6), (_IF_BIT, 0, 1, 0x1FFF), (_ALL_OF_IT, 0, 0, 0),
        (_LOAD_BYTE, 0, 0, 9), (_IF_EQUAL, 1, 0, socket.IPPROTO_TCP), (_ALL_OF_IT, 0, 0, 0),
        (_LENGTH_TO_INDEX, 0, 0, 0), (_LOAD_BYTE_INDEXED, 0, 0, 13), (_AND, 0, 0, 0x12),
        (_IF_EQUAL, 1, 0, 0x02), (_ALL_OF_IT, 0, 0, 0), (_LOAD_SHORT_INDEXED, 0, 0, 2),
    ]  # fmt: skip
    for port in ports:
        program += [(_IF_EQUAL, 0, 1, port), (_ALL_OF_IT, 0, 0, 0)]
    program.append((_ALL_OF_IT, 0, 0, _KEPT_BYTES))
    code = array.array("B", b"".join(struct.pack("=HBBI", *line) for line in program))
    address, _ = code.buffer_info()
    watcher.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HL", len(program), address))


def become(user: int) -> None:
    """Change to `user` for good: the kernel clears all capabilities when the last user id 0 goes."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
