"""Which resolved addresses a gateway dials: what a name leads to is its owner's choice."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.egress.addresses import judge, networks

HOST = networks(["192.0.2.0/24", "8.8.4.0/24", "2a01:4f8::/48"])


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "198.19.255.255",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1111%1",
        "fec0::1",
        "ff02::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fd00:c1::a9fe:a9fe",
        "2001:db8::1",
        "64:ff9b:1::808:808",
        "",
        "example.org",
        "127.1",
        "0x7f000001",
        "2130706433",
        "010.0.0.1",
    ],
)
def test_never_dialled_whatever_a_rule_says(address: str) -> None:
    judgement = judge(address)
    assert judgement.kind == "never" and judgement.why
    assert not judgement.may_be_dialled(private=True)


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "10.130.0.5",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "fd12::1",
    ],
)
def test_private_ones_only_by_a_rule_that_says_so(address: str) -> None:
    judgement = judge(address)
    assert judgement.kind == "private"
    assert judgement.may_be_dialled(private=True) and not judgement.may_be_dialled(private=False)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2606:4700::1111", "169.253.0.1"],
)
def test_the_others_are_public(address: str) -> None:
    assert judge(address).may_be_dialled(private=False)


def test_networks_of_the_machine_itself_are_never_dialled() -> None:
    for address in ("8.8.4.4", "::ffff:8.8.4.4", "64:ff9b::808:404", "2a01:4f8::1"):
        assert judge(address, HOST).kind == "never"
        assert judge(address).kind == "public"


def spellings(address: str) -> list[str]:
    """IPv6 addresses that carry an IPv4 one."""
    number = int(ipaddress.IPv4Address(address))
    public = int(ipaddress.IPv4Address("8.8.8.8"))
    teredo = 0x20010000 << 96
    texts = [
        number,
        0xFFFF << 32 | number,
        0xFFFF << 48 | number,
        0x64FF9B << 96 | number,
        0x26064700 << 96 | 0x00005EFE << 32 | number,
        0x26064700 << 96 | 0x02005EFE << 32 | number,
        0x2002 << 112 | number << 80 | 1,
        teredo | number << 64 | (~public & 0xFFFFFFFF),
        teredo | public << 64 | (~number & 0xFFFFFFFF),
    ]
    return [str(ipaddress.IPv6Address(text)) for text in texts]


@given(st.ip_addresses(v=4).map(str))
def test_what_carries_an_address_is_judged_by_it(address: str) -> None:
    for text in spellings(address):
        if text in ("::", "::1"):
            assert judge(text).kind == "never"
        else:
            assert judge(text).kind == judge(address).kind, text


@given(st.ip_addresses())
def test_what_the_standard_library_takes_for_special_is_never_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if judge(str(address)).kind == "public":
        assert not (address.is_loopback or address.is_link_local or address.is_multicast)
        assert not (address.is_unspecified or (address.is_reserved and address.version == 4))
        assert address.is_global or address.version == 6


@pytest.mark.parametrize("text", ["192.0.2.0/33", "192.0.2.1/24", "host"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        networks([text])
