"""The addresses that may be dialled: the policy allows a name, and this checks what the name leads to.

A name's owner chooses its addresses, so each is judged right before it is dialled. An IPv6 address that
carries an IPv4 one is judged by what it carries: a translator on the way would dial that."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

Kind = Literal["public", "private", "never"]


class Judgement(NamedTuple):
    """Whether an address may be dialled, and why not.

    A ``private`` one may be by a rule that says so, a ``never`` one by none; `why` continues "the address
    is".
    """

    kind: Kind
    why: str = ""

    def may_be_dialled(self, private: bool) -> bool:
        """Whether a rule may dial the address.

        :param private: whether the rule allows private addresses
        """
        return self.kind == "public" or (private and self.kind == "private")


_NEVER = (
    ("0.0.0.0/8", "this host (RFC 1122, section 3.2.1.3)"),
    ("127.0.0.0/8", "loopback (RFC 1122, section 3.2.1.3)"),
    ("169.254.0.0/16", "link-local, metadata services among it (RFC 3927)"),
    (
        "100.100.100.200/32",
        "the metadata service of Alibaba Cloud (its guide, `Instance metadata`)",
    ),
    ("168.63.129.16/32", "Azure's wire server (its guide, `What is IP address 168.63.129.16`)"),
    ("192.0.0.0/24", "reserved, Oracle's metadata service 192.0.0.192 among it (RFC 6890)"),
    ("192.0.2.0/24", "for documentation (RFC 5737)"),
    ("198.51.100.0/24", "for documentation (RFC 5737)"),
    ("203.0.113.0/24", "for documentation (RFC 5737)"),
    ("192.88.99.0/24", "a relay of 6to4 (RFC 7526)"),
    ("198.18.0.0/15", "where inner networks of sandboxes are (RFC 2544)"),
    ("224.0.0.0/4", "multicast (RFC 5771)"),
    ("240.0.0.0/4", "reserved, broadcast among it (RFC 1112, RFC 919)"),
    ("::/128", "this host (RFC 4291, section 2.5.2)"),
    ("::1/128", "loopback (RFC 4291, section 2.5.3)"),
    ("64:ff9b:1::/48", "of a local translator, who alone knows where it leads (RFC 8215)"),
    ("100::/64", "discarded (RFC 6666)"),
    ("2001:2::/48", "for measurements (RFC 5180)"),
    ("2001:10::/28", "no address to route to (RFC 4843)"),
    ("2001:20::/28", "no address to route to (RFC 7343)"),
    ("2001:db8::/32", "for documentation (RFC 3849)"),
    ("3fff::/20", "for documentation (RFC 9637)"),
    ("5f00::/16", "of segment routing (RFC 9602)"),
    (
        "fd00:ec2::/32",
        "the metadata and other services of AWS (EC2 guide, `Access instance metadata`)",
    ),
    ("fd20:ce::254/128", "the metadata service of Google Cloud (its guide, `Query VM metadata`)"),
    ("fd00:c1::a9fe:a9fe/128", "the metadata service of Oracle Cloud (its guide)"),
    ("fe80::/10", "link-local (RFC 4291, section 2.5.6)"),
    ("fec0::/10", "site-local, given up (RFC 3879)"),
    ("ff00::/8", "multicast (RFC 4291, section 2.7)"),
)
_PRIVATE = (
    ("10.0.0.0/8", "a private address (RFC 1918)"),
    ("172.16.0.0/12", "a private address (RFC 1918)"),
    ("192.168.0.0/16", "a private address (RFC 1918)"),
    ("100.64.0.0/10", "an address within a provider's network (RFC 6598)"),
    ("fc00::/7", "a private address (RFC 4193)"),
)
# Prefix of IPv6 addresses that carry an IPv4 one, and how many bits stand behind it.
_CARRIERS = (
    (ipaddress.IPv6Network("::/96"), 0),  # IPv4-compatible: RFC 4291, section 2.5.5.1
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),  # IPv4-mapped: RFC 4291, section 2.5.5.2
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),  # IPv4-translated: RFC 2765, section 2.1
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),  # NAT64: RFC 6052, section 2.1
    (ipaddress.IPv6Network("2002::/16"), 80),  # 6to4: RFC 3056, section 2
    (ipaddress.IPv6Network("2001::/32"), 64),  # the server of Teredo: RFC 4380, section 4
)
_TEREDO = _CARRIERS[-1][0]
_LOW = 0xFFFFFFFF
# The bytes before the IPv4 address in an ISATAP interface identifier: RFC 5214, section 6.1.
_ISATAP = (0x00005EFE, 0x02005EFE)


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """The networks in `texts`, to be passed to `judge`.

    :raises ValueError: one is no network
    """
    return tuple(ipaddress.ip_network(text) for text in texts)


def judge(text: str, forbidden: Sequence[Network] = ()) -> Judgement:
    """Whether the gateway may dial the address `text`, in the form a resolver answers with, and why not.

    :param forbidden: networks of this sandbox's own: `Policy.forbidden`, and its inner network
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return Judgement("never", "no address")
    if address.version == 6 and address.scope_id is not None:
        return Judgement("never", "bound to an interface")
    judgements = [_judge(one, forbidden) for one in (address, *_carried(address))]
    return max(judgements, key=lambda judgement: _SEVERITY.index(judgement.kind))


def _judge(address: _Address, forbidden: Sequence[Network]) -> Judgement:
    for network in forbidden:
        if address in network:
            return Judgement("never", "this machine's or this sandbox's own")
    for table, kind in _TABLES:
        for network, why in table:
            if address in network:
                return Judgement(kind, why)
    return Judgement("public")


def _carried(address: _Address) -> list[ipaddress.IPv4Address]:
    if address.version == 4:
        return []
    number = int(address)
    carried = [
        ipaddress.IPv4Address(number >> behind & _LOW)
        for network, behind in _CARRIERS
        if address in network
    ]
    if number >> 32 & _LOW in _ISATAP:
        carried.append(ipaddress.IPv4Address(number & _LOW))
    if address in _TEREDO:
        # The client's address stands in it with each bit turned round: RFC 4380, section 4.
        carried.append(ipaddress.IPv4Address(~number & _LOW))
    return carried


def _parsed(table: tuple[tuple[str, str], ...]) -> tuple[tuple[Network, str], ...]:
    return tuple((ipaddress.ip_network(text), why) for text, why in table)


_SEVERITY: tuple[Kind, ...] = ("public", "private", "never")
_TABLES: tuple[tuple[tuple[tuple[Network, str], ...], Kind], ...] = (
    (_parsed(_NEVER), "never"),
    (_parsed(_PRIVATE), "private"),
)
