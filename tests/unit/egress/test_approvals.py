"""Approvals add to a plan's policy, and never past what forbids."""

from __future__ import annotations

import pytest

from sandboxd.egress.approvals import Approval, Limits, effective, obstacle
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule, decide

PLANNED = Policy(
    version=7,
    rules=(Rule(pattern("github.com"), (443,), source="group github"),),
    denied=(pattern("evil.example.org"), pattern("*.forbidden.example.org")),
    canaries=("canary.example.org",),
)

OPEN = Limits()


def allow(name: str, port: int = 443, **more: object) -> Approval:
    return Approval(pattern(name), (port,), True, 10.0, "shell", **more)  # type: ignore[arg-type]


def deny(name: str) -> Approval:
    return Approval(pattern(name), (), False, 10.0, "shell")


def reason(approvals: list[Approval], name: str, port: int = 443, limits: Limits = OPEN) -> str:
    policy = effective(PLANNED, approvals, limits, now=20.0)
    return decide(policy, name, port, 20.0).reason


def test_what_is_allowed_is_let_through_at_its_port_alone() -> None:
    assert reason([], "new.example.org") == "no-rule"
    assert reason([allow("new.example.org")], "new.example.org") == "allowed"
    assert reason([allow("new.example.org")], "new.example.org", 22) == "port"
    verdict = decide(
        effective(PLANNED, [allow("new.example.org", until=30.0, once="1")], OPEN, 20.0),
        "new.example.org",
        443,
        20.0,
    )
    assert verdict.rule == Rule(
        pattern("new.example.org"), (443,), source="approval", until=30.0, once="1"
    )


def test_an_approval_ends() -> None:
    approvals = [allow("new.example.org", until=20.0)]
    assert reason(approvals, "new.example.org") == "no-rule"
    assert effective(PLANNED, approvals, OPEN, now=19.0).rules[-1].until == 20.0


def test_a_running_policy_lets_nothing_through_after_the_end() -> None:
    policy = effective(PLANNED, [allow("new.example.org", until=20.0)], OPEN, now=10.0)
    assert decide(policy, "new.example.org", 443, 19.9).allowed
    assert decide(policy, "new.example.org", 443, 20.0).reason == "expired"


def test_a_no_wins_over_the_plan_and_over_a_yes() -> None:
    assert reason([deny("github.com")], "github.com") == "denied"
    for answers in (
        [allow("new.example.org"), deny("new.example.org")],
        [deny("new.example.org"), allow("new.example.org")],
        [deny("*.example.org"), allow("new.example.org")],
    ):
        assert reason(answers, "new.example.org") == "denied"


@pytest.mark.parametrize(
    ("name", "why", "verdict"),
    [
        ("evil.example.org", "denied", "denied"),
        ("a.forbidden.example.org", "denied", "denied"),
        ("*.forbidden.example.org", "denied", "denied"),
        ("*.b.forbidden.example.org", "denied", "denied"),
        ("canary.example.org", "canary", "canary"),
        ("new.example.org", "", "allowed"),
    ],
)
def test_floor_and_canaries_win(name: str, why: str, verdict: str) -> None:
    assert obstacle(PLANNED, pattern(name), (443,), OPEN) == why
    assert reason([allow(name)], name.replace("*", "x")) == verdict


def test_a_wildcard_around_a_denied_name_leaves_that_denied() -> None:
    assert obstacle(PLANNED, pattern("*.example.org"), (443,), OPEN) == ""
    assert reason([allow("*.example.org")], "evil.example.org") == "denied"
    assert reason([allow("*.example.org")], "other.example.org") == "allowed"


def test_where_the_floor_forbids_grants_a_no_still_counts() -> None:
    assert reason([allow("new.example.org")], "new.example.org", limits=Limits(False)) == "no-rule"
    assert reason([deny("github.com")], "github.com", limits=Limits(False)) == "denied"
    assert obstacle(PLANNED, pattern("new.example.org"), (443,), Limits(False)) == "no-grants"


def test_an_approval_has_to_be_in_each_list_of_the_floor() -> None:
    first = (Rule(pattern("*.example.org"), (80, 443)),)
    second = (Rule(pattern("new.example.org"), (443, 22)),)
    limits = Limits(lists=(first, second))
    assert reason([allow("new.example.org")], "new.example.org", limits=limits) == "allowed"
    for outside in (allow("new.example.org", 22), allow("other.example.org"), allow("a.net")):
        name, port = outside.pattern.host, outside.ports[0]
        assert obstacle(PLANNED, outside.pattern, outside.ports, limits) == "outside"
        assert reason([outside], name, port, limits=limits) == "no-rule"
    assert obstacle(PLANNED, pattern("*.example.org"), (443,), limits) == "outside"


def test_nothing_but_rules_and_denials_changes() -> None:
    policy = effective(PLANNED, [allow("new.example.org"), deny("x.example.org")], OPEN, 20.0)
    assert policy._replace(rules=PLANNED.rules, denied=PLANNED.denied) == PLANNED
    assert not any(rule.private for rule in policy.rules)
