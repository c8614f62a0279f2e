"""A connection to an address that stands for no name."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from sandboxd.egress.gateway import direct_door


def test_an_address_that_stands_for_no_name_is_denied_and_told() -> None:
    told: list[tuple[object, ...]] = []
    parts: Any = SimpleNamespace(
        gate=SimpleNamespace(book=SimpleNamespace(name=lambda _address: None)),
        journal=SimpleNamespace(attempt=lambda *words: told.append(words)),
    )
    client = SimpleNamespace(getsockname=lambda: ("198.18.0.9", 443))
    connection: Any = SimpleNamespace(client=client)
    asyncio.run(direct_door.serve(parts, connection))
    assert told == [("denied", "198.18.0.9", 443, "direct", "not-a-name")]
