"""What tests of starts and gateways share."""

from __future__ import annotations

import pytest

from sandboxd.life import gateway_channel, running_gateway
from sandboxd.life.gateway_channel import Channel
from tests.patience import PATIENCE


@pytest.fixture(autouse=True)
def patient_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that is a thread of a test answers as soon as the machine lets it."""
    monkeypatch.setattr(gateway_channel, "ANSWER_SECONDS", PATIENCE)
    monkeypatch.setattr(Channel.ask, "__kwdefaults__", {"seconds": PATIENCE})
    monkeypatch.setattr(Channel.wait_for, "__defaults__", (PATIENCE,))
    monkeypatch.setattr(running_gateway, "_REPLAY_SECONDS", PATIENCE)
