"""This machine's own addresses, as the kernel shows them."""

from __future__ import annotations

import os
import socket

from sandboxd.host import addresses
from tests.patience import eventually

# Two of one interface, its broadcast address, and a route that is no address.
TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 4
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
           |-- 127.0.0.1
              /32 host LOCAL
     +-- 198.51.100.0/24 2 0 2
           |-- 198.51.100.7
              /32 host LOCAL
           |-- 198.51.100.8
              /32 link UNICAST
              /32 host LOCAL
        |-- 198.51.100.255
           /32 link BROADCAST
"""
IPV6 = """\
00000000000000000000000000000001 01 80 10 80       lo
20010db8000000000000000000000007 02 40 00 80     eth0
fe80000000000000021132fffe445566 02 40 20 80     eth0
"""


def test_ipv4_addresses_are_the_local_ones() -> None:
    texts = [str(address) for address in addresses._ipv4(TRIE)]
    assert texts == ["127.0.0.1", "198.51.100.7", "198.51.100.8"]


def test_ipv6_addresses_are_read_from_their_digits() -> None:
    texts = [str(address) for address in addresses._ipv6(IPV6)]
    assert texts == ["::1", "2001:db8::7", "fe80::211:32ff:fe44:5566"]


def test_loopback_is_not_among_those_of_this_machine() -> None:
    own = addresses.of_process()
    assert "127.0.0.1" not in own
    assert "::1" not in own
    # Each one is really ours; bridges of engines, with addresses of their own, come and go meanwhile.
    eventually(lambda: not [each for each in addresses.of_process() if not is_ours(each)])


def is_ours(address: str) -> bool:
    """Whether a socket can be bound to it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def test_of_a_process_that_is_gone_nothing_is_known() -> None:
    assert addresses.of_process(0) == frozenset()
    assert addresses.reverse_path_filter(0) is None


def test_the_filter_is_asked_in_our_own_namespace_alone() -> None:
    assert addresses.reverse_path_filter(os.getpid()) == addresses.reverse_path_filter()
