"""A placeholder of a credential that leaves by plain HTTP is a tripwire; what no gateway can see is not."""

from __future__ import annotations

import asyncio
import base64

import pytest

from sandboxd.credentials.name import Name
from sandboxd.credentials.uses import decoy
from sandboxd.egress import placeholder
from sandboxd.egress.gateway.http_door import HttpDoor
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule
from tests.unit.egress.test_one_verdict import answer, gateway_parts

PLACEHOLDER = decoy("/p", Name("github"))
BASIC = base64.b64encode(f"x-access-token:{PLACEHOLDER}".encode()).decode()
POLICY = Policy(rules=(Rule(pattern("a.example.org"), (80,), source="test"),))


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (PLACEHOLDER, True),
        (f"{PLACEHOLDER} ", False),
        (f"{PLACEHOLDER}\n", False),
        (f"Bearer {PLACEHOLDER}", False),
        ("placeholder-of-sandboxd-sk-ant-api03-secret", False),
        ("", False),
    ],
)
def test_a_secret_beside_or_behind_the_mark_is_no_placeholder(text: str, is_one: bool) -> None:
    """What `verify` lets stand in the environment is worth nothing anywhere."""
    assert placeholder.is_one(text) is is_one


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/", f"Authorization: Bearer {PLACEHOLDER}"),
        ("/", f"X-Api-Key: {PLACEHOLDER}"),
        ("/", f"Authorization: Basic {BASIC}"),
        ("/", f"authorization: basic  {BASIC.rstrip('=')}"),
        ("/", f"Cookie: a=1; t={PLACEHOLDER}"),
        (f"/?key={PLACEHOLDER}", "A: b"),
        (f"/{PLACEHOLDER.replace('-', '%2D')}", "A: b"),
        ("/", f"X-{PLACEHOLDER.upper()}: b"),
    ],
)
def test_one_that_leaves_for_an_allowed_host_is_refused_and_told(path: str, field: str) -> None:
    events: list[dict[str, object]] = []

    async def serve() -> bytes:
        parts, _ = gateway_parts(asyncio.get_running_loop(), POLICY)
        attempt = parts.journal.attempt

        def note(*fields: str) -> None:
            events.append(
                dict(zip(("outcome", "name", "port", "door", "reason"), fields, strict=False))
            )
            attempt(*fields)  # type: ignore[arg-type]

        parts.journal.attempt = note  # type: ignore[method-assign,assignment]
        head = f"GET http://a.example.org{path} HTTP/1.1\r\nHost: a.example.org\r\n{field}\r\n\r\n"
        return await answer(lambda c: HttpDoor(parts, c).serve(), head.encode())

    told = asyncio.run(serve())
    assert told.startswith(b"HTTP/1.1 403"), told
    assert b"the placeholder of a credential was sent there" in told
    assert PLACEHOLDER.encode() not in told
    assert [(each["outcome"], each["name"], each["reason"]) for each in events] == [
        ("denied", "a.example.org", "canary")
    ]


@pytest.mark.parametrize(
    "field", [b"Bearer other", b"Basic ???", b"Basic eA==", b"placeholder", b"Basic " + b"a" * 4000]
)
def test_what_is_none_passes(field: bytes) -> None:
    assert not placeholder.is_carried(b"GET", b"/", [(b"authorization", field)])
