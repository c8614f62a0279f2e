"""The parts of an engine's address."""

from __future__ import annotations

import pytest

from sandboxd.engine.address import Address, AddressError, parse


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("unix:///run/a b.sock", Address("unix", path="/run/a b.sock")),
        ("tcp://far", Address("tcp", "far")),
        ("TCP://far:1/", Address("tcp", "far", 1)),
        ("tcp://[::1]:2375", Address("tcp", "::1", 2375)),
        ("https://me@far/x", Address("https", "far", None, "me", "x")),
        ("ssh://far", Address("ssh", "far")),
        ("ssh://me@far:22", Address("ssh", "far", 22, "me")),
        ("ssh://far/run/user/1/docker.sock", Address("ssh", "far", path="/run/user/1/docker.sock")),
    ],
)
def test_an_address_has_these_parts(host: str, address: Address) -> None:
    assert parse(host) == address


@pytest.mark.parametrize(
    ("host", "tls", "url"),
    [
        ("tcp://far", False, "http://far:2375"),
        ("tcp://far", True, "https://far:2376"),
        ("tcp://[::1]:1", True, "https://[::1]:1"),
        ("https://far", False, "https://far:2376"),
        ("http://far:80", False, "http://far:80"),
    ],
)
def test_the_base_of_its_urls(host: str, tls: bool, url: str) -> None:
    assert parse(host).url(tls) == url


@pytest.mark.parametrize(
    "host",
    [
        *("", "nothing", "fd://", "npipe:////./pipe/docker", "unix:/x", "context:gone"),
        *("tcp://far:port", "tcp://far:0", "tcp://far:65536", "tcp://far:\u0661", "tcp://far:-1"),
        *("ssh://", "ssh:///x", "ssh://-oProxyCommand=x", "ssh://-x@far", "ssh://me:word@far"),
    ],
)
def test_an_address_that_cannot_be_spoken_to(host: str) -> None:
    with pytest.raises(AddressError):
        parse(host)
