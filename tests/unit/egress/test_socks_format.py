"""SOCKS 5, read strictly: names and addresses come out, or nothing does."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxd.egress.gateway.socks_format import BadSocks, Request, read_greeting, read_request


def request(kind: int, host: bytes, command: int = 1) -> bytes:
    return bytes([5, command, 0, kind]) + host + b"\1\xbb"


@pytest.mark.parametrize(
    ("data", "host"),
    [
        (request(3, b"\x0ba.example.x"), "a.example.x"),
        (request(1, b"\x7f\0\0\1"), "127.0.0.1"),
        (request(4, bytes(15) + b"\1"), "::1"),
    ],
)
def test_a_request_is_read_when_all_of_it_is_there(data: bytes, host: str) -> None:
    assert read_request(data + b"more") == Request(host, 443, len(data))
    assert [read_request(data[:size]) for size in range(len(data))] == [None] * len(data)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (request(3, b"\x0eallowed\0.other"), 2),
        (request(3, b"\0"), 2),
        (request(3, b"\3a b"), 2),
        (request(2, b"\0\0\0\0"), 8),
        (request(3, b"\1a", command=2), 7),
        (request(3, b"\1a", command=3), 7),
    ],
)
def test_what_is_not_spoken_is_refused_by_its_code(data: bytes, code: int) -> None:
    with pytest.raises(BadSocks) as caught:
        read_request(data)
    assert caught.value.reply[1] == code


def test_a_greeting_must_offer_to_go_without_a_password() -> None:
    assert read_greeting(b"\5\2\2\0") == 4
    assert read_greeting(b"\5\2\2") is None
    with pytest.raises(BadSocks):
        read_greeting(b"\5\1\2")
    with pytest.raises(BadSocks):
        read_greeting(b"\4\1\0\x50")


@settings(deadline=None)
@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda data: b"\5\1\0" + data))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    for read in (read_greeting, read_request):
        with contextlib.suppress(BadSocks):
            read(data)
