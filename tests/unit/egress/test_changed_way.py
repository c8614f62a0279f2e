"""A connection during which a policy came is no word about its address."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.egress.gateway import tunnel
from sandboxd.egress.gateway.dialer import NoWay


@pytest.mark.asyncio
async def test_a_way_that_changed_while_it_was_dialled_refuses_no_later_approval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`egress allow` refuses a name whose address was never dialled."""
    said: list[str] = []
    way = SimpleNamespace(sock=SimpleNamespace(close=lambda: None))

    async def dialled(*_: object) -> Any:
        return way

    parts: Any = SimpleNamespace(
        dialer=SimpleNamespace(dial=dialled), gate=SimpleNamespace(give_back=lambda _rule: None)
    )
    destination: Any = SimpleNamespace(
        judgement=SimpleNamespace(rule=None),
        port=80,
        report=lambda _parts, reason, _detail: said.append(reason),
    )
    connection: Any = None
    monkeypatch.setattr(tunnel, "would_go", lambda *_: False)
    with pytest.raises(NoWay):
        await tunnel.dial(parts, connection, destination)
    assert said == ["unreachable"]
