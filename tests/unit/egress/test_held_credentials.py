"""A credential is used only as long as the policy has its service at its port."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from sandboxd.egress.broker import Binding
from sandboxd.egress.broker_wire import Credentials
from sandboxd.egress.gateway import held_credentials
from sandboxd.egress.gateway.gate import Gate, Judgement
from sandboxd.egress.gateway.held_credentials import HeldCredentials
from sandboxd.egress.policy import Policy

BINDING = Binding("github-api", 4001, "api.github.com", 443, "Authorization", "Bearer x")


@pytest.mark.parametrize(
    ("credentials", "port", "is_used"),
    [
        ((("github-api", 4001),), 4001, True),
        ((("npm", 4001),), 4001, False),
        ((("github-api", 4001),), 4002, False),
        ((("github-api", 4002),), 4001, False),
        ((), 4001, False),
    ],
)
def test_a_credential_is_that_of_its_service_and_port(
    monkeypatch: pytest.MonkeyPatch,
    credentials: tuple[tuple[str, int], ...],
    port: int,
    is_used: bool,
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    monkeypatch.setattr(held_credentials, "client_context", lambda _roots: context)
    no_addresses: Any = None
    gate = Gate(no_addresses, lambda: 0.0)
    held = HeldCredentials(gate)
    monkeypatch.setattr(Gate, "policy", Policy(credentials=credentials))
    held.set(Credentials((BINDING,)))
    assert held.find(port) == ((BINDING, context) if is_used else None)
    held.clear()
    assert held.find(port) is None


@pytest.mark.parametrize(
    ("reason", "allowed"),
    [("no-rule", True), ("allowed", True), ("denied", False), ("canary", False)],
)
def test_the_grant_of_a_credential_is_one_of_its_host_unless_that_is_denied(
    monkeypatch: pytest.MonkeyPatch, reason: str, allowed: bool
) -> None:
    no_addresses: Any = None
    gate = Gate(no_addresses, lambda: 0.0)
    by_name = Judgement("api.github.com", reason == "allowed", reason)
    monkeypatch.setattr(gate, "judge", lambda *_: by_name)
    judgement = HeldCredentials(gate).judge(BINDING)
    assert (judgement.allowed, judgement.reason) == (allowed, "allowed" if allowed else "denied")
