"""The addresses of this machine, which a sandbox with a gateway must never reach by a name."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable, Iterator

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_LOCAL_HOST = "32 host LOCAL"


def of_process(pid: int | str = "self") -> frozenset[str]:
    """The IP addresses in the network namespace of a process.

    Loopback and link-local ones are left out, since no sandbox may reach those anyway. Empty where the namespace
    cannot be read, and on other systems than Linux.

    :param pid: a process id, or "self"
    """
    v4: Iterable[_Address] = _ipv4(_read(pid, "fib_trie"))
    v6: Iterable[_Address] = _ipv6(_read(pid, "if_inet6"))
    return frozenset(
        str(address) for address in (*v4, *v6) if not (address.is_loopback or address.is_link_local)
    )


def reverse_path_filter(pid: int | str = "self") -> bool | None:
    """Whether the kernel drops packets that arrive on another interface than answers would leave by (`rp_filter`).

    Only this process's own namespace can be read; None where it cannot.
    """
    if str(pid) not in ("self", str(os.getpid())):
        return None
    try:
        values = []
        for name in ("all", "default"):
            with open(f"/proc/sys/net/ipv4/conf/{name}/rp_filter", encoding="ascii") as file:
                values.append(int(file.read()))
    except (OSError, ValueError):
        return None
    # The kernel takes the larger of `all` and the interface's own, which begins as `default`.
    return max(values) > 0


def _ipv4(text: str) -> Iterator[ipaddress.IPv4Address]:
    """The local addresses of a fib_trie: each `|-- ADDRESS` before a line `/32 host LOCAL`."""
    address = ""
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["|--"] and len(words) == 2:
            address = words[1]
        elif line.strip().removeprefix("/") == _LOCAL_HOST and address:
            yield ipaddress.IPv4Address(address)


def _ipv6(text: str) -> Iterator[ipaddress.IPv6Address]:
    """The addresses of an if_inet6: first on each line, without colons."""
    for line in text.splitlines():
        digits = line.partition(" ")[0]
        if len(digits) == 32:
            yield ipaddress.IPv6Address(int(digits, 16))


def _read(pid: int | str, name: str) -> str:
    try:
        with open(f"/proc/{pid}/net/{name}", encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""
