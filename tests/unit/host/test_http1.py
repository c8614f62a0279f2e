"""Answers of an engine on the wire: how they end, and what is none."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from sandboxd.engine.http1 import Answer, WireError
from sandboxd.engine.transport import AddressError, Transport


def answer(wire: bytes, method: str = "GET") -> Answer:
    ours, theirs = socket.socketpair()
    ours.settimeout(5)

    def speak() -> None:
        with theirs, contextlib.suppress(OSError):
            for index in range(0, len(wire), 7):
                theirs.sendall(wire[index : index + 7])

    threading.Thread(target=speak, daemon=True).start()
    return Answer(ours, method)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more", b"hello"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", b"x"),
        (CHUNKED + b"5;a=b\r\nhello\r\n6\r\n there\r\n0\r\nTrailer: x\r\n\r\n", b"hello there"),
    ],
)
def test_where_an_answer_ends(wire: bytes, body: bytes) -> None:
    with answer(wire) as found:
        assert found.read() == body
        assert found.read() == b""


def test_it_is_read_by_lines_and_by_size() -> None:
    with answer(CHUNKED + b"4\r\none\n\r\n7\r\ntwo\nthr\r\n2\r\nee\r\n0\r\n\r\n") as found:
        assert [found.readline(), found.read(3), found.readline()] == [b"one\n", b"two", b"\n"]
        assert (found.readline(), found.readline()) == (b"three", b"")


def test_a_head_has_headers_and_no_body() -> None:
    with answer(b"HTTP/1.1 200 OK\r\nX-Some: Thing\r\nContent-Length: 9\r\n\r\n", "HEAD") as found:
        assert (found.headers["x-some"], found.read()) == ("Thing", b"")


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        CHUNKED + b"zz\r\n",
        CHUNKED + b"5\r\nhel",
        b"HTTP/1.1 200 OK\r\n" + b"A: " + b"x" * 70000,
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"A%d: b\r\n" % n for n in range(300)) + b"\r\n",
    ],
)
def test_what_is_no_answer(wire: bytes) -> None:
    with pytest.raises(WireError), answer(wire) as found:
        found.read()


@pytest.mark.parametrize("host", ["ssh://there", "fd://", "nothing", "tcp://there:port"])
def test_an_address_that_cannot_be_spoken_to(host: str) -> None:
    with pytest.raises(AddressError):
        Transport(host)
