"""Which names a policy lets through, and which spellings are no names at all."""

from __future__ import annotations

import pytest

from sandboxd.egress.layout import inner_addresses
from sandboxd.egress.names import NotAName, normal, pattern
from sandboxd.egress.policy import Policy, Rule, decide

POLICY = Policy(
    version=1,
    rules=(
        Rule(pattern("github.com"), (22, 443)),
        Rule(pattern("*.example.org"), (443,)),
        Rule(pattern("late.example.net"), (443,), until=100.0),
    ),
    denied=(pattern("secret.example.org"),),
    canaries=("canary.example.org",),
    services=(("db", "198.18.4.1"),),
)


@pytest.mark.parametrize(
    ("name", "port", "reason"),
    [
        ("github.com", 443, "allowed"),
        ("GitHub.com.", 22, "allowed"),
        ("github.com", 0, "allowed"),
        ("github.com", 80, "port"),
        ("evil-github.com", 443, "no-rule"),
        ("github.com.evil", 443, "no-rule"),
        ("a.b.example.org", 443, "allowed"),
        ("example.org", 443, "no-rule"),
        ("secret.example.org", 443, "denied"),
        ("canary.example.org", 443, "canary"),
        ("late.example.net", 443, "expired"),
        ("db", 5432, "service"),
        ("127.1", 443, "not-a-name"),
        ("0x7f000001", 443, "not-a-name"),
        ("[::1]", 443, "not-a-name"),
        ("x.localhost", 443, "not-a-name"),
    ],
)
def test_a_name_and_a_port_get_one_verdict(name: str, port: int, reason: str) -> None:
    assert decide(POLICY, name, port, now=200.0).reason == reason


def test_the_empty_policy_lets_nothing_through() -> None:
    assert not decide(Policy(), "github.com", 443, 0.0).allowed


@pytest.mark.parametrize("text", ["*", "*.", "*.com", "a.*.org", "", "a..b", "-a.org", "bücher.de"])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(NotAName):
        pattern(text)


def test_a_name_is_at_most_253_characters() -> None:
    assert normal("a." * 126 + "a")
    with pytest.raises(NotAName):
        normal("a." * 127 + "a")


def test_an_inner_network_has_room_for_members_and_names_apart() -> None:
    parts = inner_addresses("198.18.32.0/19")
    assert parts.gateway == "198.18.32.2"
    assert parts.members == "198.18.36.0/22"
    assert parts.synthetic == "198.18.48.0/20"
