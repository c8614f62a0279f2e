"""Heads of requests: what two readers could read in two ways is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxd.egress.gateway import http_head
from sandboxd.egress.gateway.http_head import BadHead, Target


def head(first: str, *fields: str, end: str = "\r\n") -> bytes:
    return end.join([first, *fields, "", ""]).encode("latin-1")


HOST = "Host: a.example"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (head("GET / HTTP/1.1", HOST, end="\n"), 400),
        (b"GET / HTTP/1.1\r\nHost: a.example\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a.example\rX: y\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a.example\0\r\n\r\n", 400),
        (head("GET / HTTP/1.1", HOST, "X: one", " two"), 400),
        (b"\r\n" + head("GET / HTTP/1.1", HOST), 400),
        (head("GET / HTTP/1.1", HOST, "X: " + "y" * 40_000), 431),
        (b"GET / HTTP/1.1\n", 400),  # at once, and not when more comes
    ],
)
def test_odd_lines_are_refused(data: bytes, status: int) -> None:
    with pytest.raises(BadHead) as caught:
        http_head.split(data)
    assert caught.value.status == status


@pytest.mark.parametrize(
    "data",
    [
        head("POST / HTTP/1.1", HOST, "Content-Length: 4", "Transfer-Encoding: chunked"),
        head("POST / HTTP/1.0", HOST, "Transfer-Encoding: chunked"),
        head("POST / HTTP/1.1", HOST, "Transfer-Encoding: gzip, chunked"),
        head("POST / HTTP/1.1", HOST, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
        head("POST / HTTP/1.1", HOST, "Content-Length: 4", "Content-Length: 5"),
        head("POST / HTTP/1.1", HOST, "Content-Length: 4, 5"),
        head("POST / HTTP/1.1", HOST, "Content-Length: +4"),
        head("POST / HTTP/1.1", HOST, "Content-Length : 4"),
        head("GET / HTTP/1.1", HOST, "Host: b.example"),
        head("GET / HTTP/1.1"),
        head("PRI * HTTP/2.0"),
        head("GET / HTTP/1.1 x", HOST),
        b"\x16\3\1\2\0\1\0\1\xfc\3\3\r\n\r\n",
    ],
)
def test_odd_heads_are_refused(data: bytes) -> None:
    with pytest.raises(BadHead):
        http_head.parse(data)


@pytest.mark.parametrize(
    ("first", "target"),
    [
        ("GET http://a.example HTTP/1.1", Target("a.example", 80, "/")),
        ("GET http://a.example:8080/x?y=http://b HTTP/1.1", Target("a.example", 8080, "/x?y=http://b")),
        ("GET HTTP://A.example?q HTTP/1.1", Target("A.example", 80, "/?q")),
        ("GET http://[::1]/ HTTP/1.1", Target("[::1]", 80, "/")),
        ("CONNECT a.example:443 HTTP/1.1", Target("a.example", 443, "")),
        ("GET /path HTTP/1.1", None),
        ("OPTIONS * HTTP/1.1", None),
    ],
)  # fmt: skip
def test_the_target_of_a_request(first: str, target: Target | None) -> None:
    assert http_head.target(http_head.parse(head(first, HOST))[1]) == target


@pytest.mark.parametrize(
    "first",
    [
        "CONNECT a.example HTTP/1.1",
        "CONNECT a.example:99999 HTTP/1.1",
        "CONNECT a.example:443/x HTTP/1.1",
        "CONNECT b@a.example:443 HTTP/1.1",
        "CONNECT fe80::1%25eth0.a.example:443 HTTP/1.1",
        "CONNECT [[a.example]]:443 HTTP/1.1",
        "GET https://a.example/ HTTP/1.1",
        "GET ftp://a.example/ HTTP/1.1",
        "GET http:///x HTTP/1.1",
        "GET http://user@a.example/ HTTP/1.1",
        "GET http://a.example#b/ HTTP/1.1",
        "GET http://a.example%23.b.example/ HTTP/1.1",
        "GET http://a.example\\b/ HTTP/1.1",
        "GET a.example HTTP/1.1",
    ],
)
def test_other_targets_are_refused(first: str) -> None:
    with pytest.raises(BadHead):
        http_head.target(http_head.parse(head(first, HOST))[1])


def test_the_origin_gets_nothing_that_was_for_the_proxy() -> None:
    _, request = http_head.parse(
        head(
            "POST http://a.example/ HTTP/1.1",
            HOST,
            "Proxy-Authorization: Basic c2VjcmV0",
            "Proxy-Connection: keep-alive",
            "Connection: X-Mine, upgrade, HTTP2-Settings",
            "X-Mine: 1",
            "X-Theirs: 2",
            "Upgrade: h2c",
            "HTTP2-Settings: AAMAAABkAAQAAP__",
            "TE: trailers",
            "Transfer-Encoding: chunked",
        )
    )
    sent = http_head.forwarded(request, "a.example", 80, "/")
    assert list(sent.headers) == [
        (b"host", b"a.example"),
        (b"x-theirs", b"2"),
        (b"transfer-encoding", b"chunked"),
        (b"connection", b"close"),
    ]


def test_a_websocket_is_the_one_upgrade_that_goes_on() -> None:
    fields = (HOST, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x")
    _, request = http_head.parse(head("GET http://a.example/ HTTP/1.1", *fields))
    sent = http_head.forwarded(request, "a.example", 8080, "/")
    assert (b"upgrade", b"websocket") in list(sent.headers)
    assert (b"host", b"a.example:8080") in list(sent.headers)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    try:
        parts = http_head.split(b"GET " + data + b"\r\n\r\n")
        if parts:
            _, request = http_head.parse(parts[0])
            http_head.target(request)
            http_head.host_field(request, 80)
    except BadHead:
        pass


@settings(deadline=None)
@given(st.text(alphabet="/:@[]%#?.aA1 \\", max_size=30))
def test_no_target_raises_anything_else(text: str) -> None:
    try:
        _, request = http_head.parse(head(f"GET http://{text} HTTP/1.1", HOST))
        http_head.target(request)
    except BadHead:
        pass
