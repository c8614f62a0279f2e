"""What the gateway answers in place of a host that is not reached."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from sandboxd.egress.gateway import refusals


@pytest.mark.parametrize("status", [200, 400, 403, 405, 408, 431, 501, 502, 503, 505])
def test_a_status_has_the_phrase_of_http(status: int) -> None:
    """RFC 9110, 15, and RFC 6585, 5: as the standard library has them."""
    head = refusals.response(status, "").partition(b"\r\n")[0].decode()
    assert head.lower() == f"http/1.1 {status} {HTTPStatus(status).phrase}".lower()


def test_a_denial_says_what_allows_it() -> None:
    head, _, body = refusals.denied("example.com", 443, "no-rule").decode().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 403 ")
    assert "example.com:443 was not reached from this sandbox" in body
    assert "to allow it, outside of the sandbox: sandboxd egress allow example.com" in body
