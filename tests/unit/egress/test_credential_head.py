"""What a service gets of a request, and a client of the answer: no secret passes either way."""

from __future__ import annotations

import base64

import h11
import pytest

from sandboxd.egress.broker import Binding, traces
from sandboxd.egress.gateway import credential_head
from sandboxd.egress.layout import GATEWAY_NAME

TOKEN = "marked-token-1"
BASIC = "Basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
BINDING = Binding("git", 8101, "git.example", 8443, "Authorization", BASIC)
HOST = f"{GATEWAY_NAME}:8101"


def request(*headers: tuple[str, str]) -> h11.Request:
    return h11.Request(method="GET", target="/a", headers=[("Host", HOST), *headers])


def answer(*headers: tuple[str, str]) -> h11.Response:
    return h11.Response(status_code=200, headers=list(headers), reason=b"OK")


def test_the_request_has_the_secret_once_and_names_the_service() -> None:
    sent = credential_head.outgoing(
        request(("authorization", "Basic other"), ("COOKIE", "a=b"), ("Accept", "x")),
        BINDING,
        "/a?b",
    )
    assert dict(sent.headers) == {
        b"host": b"git.example:8443",
        b"accept": b"x",
        b"connection": b"close",
        b"authorization": BASIC.encode(),
    }
    assert sent.target == b"/a?b"


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("application/vnd.git-lfs+json", [b"identity"]),
        ("application/json, Application/Vnd.Git-LFS+json; charset=utf-8", [b"identity"]),
        ("application/json", [b"gzip"]),
    ],
)
def test_an_answer_that_is_read_here_is_asked_for_unpacked(
    accept: str, coding: list[bytes]
) -> None:
    asked = request(("Accept", accept), ("Accept-Encoding", "gzip"))
    sent = credential_head.outgoing(asked, BINDING, "/a")
    assert [value for name, value in sent.headers if name == b"accept-encoding"] == coding


def test_a_field_that_connection_names_does_not_take_the_secret_off() -> None:
    sent = credential_head.outgoing(request(("Connection", "authorization, x")), BINDING, "/a")
    assert (b"authorization", BASIC.encode()) in list(sent.headers)


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [(HOST, True), (HOST.upper(), True), ("198.18.0.2:8101", True), (GATEWAY_NAME, False),
     ("198.18.0.3:8101", False), ("git.example:8101", False), ("@", False)],
)  # fmt: skip
def test_the_host_field_names_the_gateway(host: str, is_ours: bool) -> None:
    asked = h11.Request(method="GET", target="/", headers=[("Host", host)])
    assert credential_head.is_for_gateway(asked, "198.18.0.2", 8101) is is_ours


@pytest.mark.parametrize(
    "value",
    [BASIC, TOKEN, f"x={TOKEN};y", BASIC.removeprefix("Basic "), f"x-access-token:{TOKEN}",
     f"x-access-token%3A{TOKEN}"],
)  # fmt: skip
def test_no_form_of_the_secret_comes_back(value: str) -> None:
    got = credential_head.incoming(answer(("X-Echo", value), ("X-Other", "y")), BINDING, HOST)
    assert list(got.headers) == [(b"x-other", b"y")]


def test_a_reason_that_holds_the_secret_is_dropped() -> None:
    hostile = h11.Response(status_code=200, headers=[], reason=TOKEN.encode())
    assert credential_head.incoming(hostile, BINDING, HOST).reason == b""


def test_locations_on_a_port_of_their_own_lead_to_the_gateway() -> None:
    for there, here in (
        ("https://git.example:8443/x", f"http://{HOST}/x"),
        ("https://git.example:8443", f"http://{HOST}"),
        ("https://git.example/x", "https://git.example/x"),
        ("https://git.example:84430/x", "https://git.example:84430/x"),
        ("https://git.example:8443@evil.example/", "https://git.example:8443@evil.example/"),
    ):
        got = credential_head.incoming(answer(("Location", there)), BINDING, HOST)
        assert dict(got.headers)[b"location"] == here.encode()


def test_a_very_short_secret_marks_nothing() -> None:
    assert traces(BINDING._replace(value="abc")) == ()
