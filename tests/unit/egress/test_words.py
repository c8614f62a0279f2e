"""What people read about names that were denied or reached."""

from __future__ import annotations

from typing import get_args

import pytest

from sandboxd.egress import words
from sandboxd.egress.gateway import dialer
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Reason, Rule, decide

POLICY = Policy(
    rules=(Rule(pattern("github.com"), (22, 443), source="group github"),),
    denied=(pattern("*.evil.org"),),
    canaries=("canary.example.org",),
)


def test_each_reason_of_a_verdict_has_words() -> None:
    for code in get_args(Reason):
        assert words.reason(code) != code


@pytest.mark.parametrize(
    ("name", "port", "code", "command"),
    [
        ("a.org", 443, "no-rule", "sandboxd egress allow a.org"),
        ("A.org.", 0, "no-rule", "sandboxd egress allow a.org"),
        ("a.org", 22, "port", "sandboxd egress allow a.org:22"),
        ("a.org", 443, "expired", "sandboxd egress allow a.org"),
        ("db", 0, "no-rule", "sandboxd egress allow db:443"),
        ("a.org", 443, "address", ""),
        ("a.org", 443, "denied", ""),
        ("a.org", 443, "canary", ""),
        ("10.0.0.1", 443, "no-rule", ""),
        ("a.org; rm -rf ~", 443, "no-rule", ""),
        ("$(id).org", 443, "no-rule", ""),
        ("a.org\nsandboxd egress allow b.org", 443, "no-rule", ""),
    ],
)
def test_the_command_that_would_allow_it(name: str, port: int, code: str, command: str) -> None:
    assert words.command(name, port, code) == command


@pytest.mark.parametrize(
    ("name", "port", "sentence"),
    [
        ("github.com", 443, "a rule allows it: `github.com` by group github"),
        (
            "github.com",
            80,
            "the name is allowed, this port is not: `github.com` is allowed at 22, 443 by group github",
        ),
        (
            "a.evil.org",
            443,
            "denied by a person, or by a policy that no rule overrides: `*.evil.org`",
        ),
        ("x.org", 443, "no rule names it"),
    ],
)
def test_a_verdict_names_what_decided(name: str, port: int, sentence: str) -> None:
    assert words.verdict(decide(POLICY, name, port, 0.0), POLICY, name) == sentence


def test_durations() -> None:
    spans = (0, 59, 60, 119, 3600, 7200, 86400, 3 * 86400)
    expected = ["0 s", "59 s", "1 min", "2 min", "1 h", "2 h", "24 h", "3 days"]
    assert [words.duration(seconds) for seconds in spans] == expected


@pytest.mark.parametrize(
    ("code", "has_proxy", "key"),
    [
        ("unreachable", False, "`network_proxy`"),
        ("unresolved", False, "`network_proxy`"),
        ("unreachable", True, ""),
        ("tls", True, "`network_ca`"),
        ("no-rule", False, ""),
    ],
)
def test_the_next_step_where_the_way_is_to_blame(code: str, has_proxy: bool, key: str) -> None:
    step = words.next_step(code, has_proxy)
    assert key in step and bool(step) is bool(key)


def test_what_is_wrong_with_the_way_is_said_within_five_seconds() -> None:
    assert dialer.DIAL_SECONDS <= 5
    assert dialer.NAME_SECONDS + dialer.LEAST_SECONDS <= 5
