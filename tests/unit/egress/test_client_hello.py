"""Which server a ClientHello asks for, however it is cut, and what is none."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxd.egress.gateway.client_hello import BadHello, Hello, HelloReader, is_tls
from sandboxd.egress.gateway.first_bytes import FirstBytes, Refused
from tests.unit.egress.hellos import (
    ECH,
    extension,
    hello,
    message,
    real_hello,
    records,
    server_names,
)


def test_the_hello_of_a_real_client_is_read() -> None:
    assert HelloReader().feed(real_hello("www.example.org")) == Hello("www.example.org", False)
    assert HelloReader().feed(real_hello(None)) == Hello("", False)


@settings(deadline=None)
@given(st.integers(1, 600), st.integers(1, 600))
def test_pieces_and_records_of_any_size_say_the_same(piece: int, size: int) -> None:
    data = hello(server_names(b"www.example.org"), ECH, size=size)
    reader = HelloReader()
    answers = [reader.feed(data[at : at + piece]) for at in range(0, len(data), piece)]
    assert answers[-1] == Hello("www.example.org", True)
    assert not any(answers[:-1])


@pytest.mark.parametrize(
    "data",
    [
        hello(server_names(b"a.example", b"b.example")),
        hello(server_names(b"a.example"), server_names(b"b.example")),
        hello(server_names(b"")),
        hello(server_names("bücher.example".encode())),
        hello(extension(0, b"\0\4\1\0\1a")),  # a name that is no host
        b"\x16\3\1\0\0",  # an empty record
        b"\x16\3\1\xff\xff",  # a record that is too long
        b"\x16\3\1\0\4\2\0\0\0",  # another message
        b"\x16\3\1\0\4\1\xff\xff\xff",  # a message that is too long
        records(message(b"\0\0")),
        records(b"\1\0\0\2\3\3"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(data: bytes) -> None:
    with pytest.raises(BadHello):
        HelloReader().feed(data)


def test_a_hello_that_never_ends_is_refused() -> None:
    endless = b"\1\0\x7f\xff" + bytes(40_000)
    with pytest.raises(BadHello):
        reader = HelloReader()
        for at in range(0, len(endless), 1):
            reader.feed(records(endless[at : at + 1]))


@settings(deadline=None)
@given(st.binary(max_size=200).map(lambda data: b"\x16\3\1" + data) | st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(BadHello):
        HelloReader().feed(data)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_extensions_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(BadHello):
        HelloReader().feed(records(message(data)))


@pytest.mark.parametrize(("data", "tls"), [(b"\x16", True), (b"\x16\3", True), (b"\x16\4", False), (b"S", False)])  # fmt: skip
def test_tls_is_known_by_its_first_bytes(data: bytes, tls: bool) -> None:
    assert is_tls(data) is tls


@pytest.mark.parametrize(
    ("data", "needs_sni", "passes"),
    [
        (hello(server_names(b"a.example")), False, True),
        (hello(server_names(b"A.Example")), True, True),
        (hello(server_names(b"b.example")), False, False),
        (hello(server_names(b"127.0.0.1")), False, False),
        (hello(), False, True),
        (hello(), True, False),
        (hello(server_names(b"a.example"), ECH), False, True),
        (hello(server_names(b"a.example"), ECH), True, False),
        (b"SSH-2.0-x\r\n", False, True),
        (b"SSH-2.0-x\r\n", True, False),
        (b"\x16\3\1\0\4\2\0\0\0", False, False),
    ],
)
def test_the_first_bytes_of_a_tunnel_are_held_to_its_name(
    data: bytes, needs_sni: bool, passes: bool
) -> None:
    check = FirstBytes("a.example", needs_sni)
    if passes:
        assert check.feed(data) == data
        assert check.decided
    else:
        with pytest.raises(Refused):
            check.feed(data)


def test_nothing_goes_on_before_all_of_the_hello_is_there() -> None:
    data = hello(server_names(b"a.example"))
    check = FirstBytes("a.example", False)
    assert check.feed(data[:20]) == b""
    assert check.feed(data[20:]) == data
