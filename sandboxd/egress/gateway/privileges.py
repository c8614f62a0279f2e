"""The only part with privileges: a route, a packet socket, and then none of them any more."""

from __future__ import annotations

import array
import errno
import ipaddress
import os
import socket
import struct

_NEW_ROUTE, _REQUEST_CREATE_EXCLUSIVE_ACK = 24, 0x0605
_TABLE_LOCAL, _PROTOCOL_STATIC, _SCOPE_HOST, _TYPE_LOCAL = 255, 4, 254, 2
_DESTINATION, _OUT_INTERFACE = 1, 4
_ATTACH_FILTER, _ETHERTYPE_IPV4 = 26, 0x0800

# TCP packets that are no later fragment, with SYN and without ACK; 64 bytes of each. Classic BPF.
_ONLY_SYN = (
    (0x28, 0, 0, 6), (0x45, 6, 0, 0x1FFF), (0x30, 0, 0, 9), (0x15, 0, 4, 6),
    (0xB1, 0, 0, 0), (0x50, 0, 0, 13), (0x54, 0, 0, 0x12), (0x15, 1, 0, 2),
    (0x06, 0, 0, 0), (0x06, 0, 0, 64),
)  # fmt: skip


def make_local(network: str) -> None:
    """Take each address of `network` for one of this machine: `ip route add local NETWORK dev lo`.

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
    """Sees connections begin on `interface`, also to ports that nobody listens on; None without NET_RAW.

    Until it is bound it would take packets of all interfaces: what came before is thrown away.
    """
    program = array.array("B", b"".join(struct.pack("=HBBI", *line) for line in _ONLY_SYN))
    try:
        watcher = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, 0)
    except PermissionError:
        return None
    filter_program = struct.pack("HL", len(_ONLY_SYN), program.buffer_info()[0])
    watcher.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, filter_program)
    watcher.bind((interface, _ETHERTYPE_IPV4))
    return watcher


def become(user: int) -> None:
    """Be `user` and nobody else: the kernel clears all capabilities when the last 0 goes."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
