"""What one sandbox may have, and where each part of it comes from."""

from __future__ import annotations

from sandboxd.egress.approvals import Approval, Limits
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule, Upstream, decide
from sandboxd.policy.gateway_rights import is_covered
from sandboxd.policy.rights import (
    Asked,
    CredentialRight,
    Login,
    Recorded,
    Rights,
    Target,
    rights,
)

PLANNED = Policy(
    rules=(Rule(pattern("a.test"), (443,), source="sandboxd.toml"),),
    denied=(pattern("b.test"),),
    upstream=Upstream("proxy.test", 3128),
    credentials=(("npm", 3200), ("github-api", 3201)),
)
NPM = CredentialRight("npm", (("npm", 3200),))


def answer(name: str, until: float = 0.0, *, allows: bool = True) -> Approval:
    return Approval(pattern(name), (443,) if allows else (), allows, 1.0, "shell", until)


def made(*answers: Approval, asked: Asked | None = None, now: float = 5.0) -> Rights:
    return rights(
        Target("/w", "c1"),
        asked or Asked("allow", PLANNED, "sandboxd.toml", is_granted=True),
        Limits(),
        answers,
        Recorded((NPM,)),
        Login("me:secret"),
        now,
    )


def test_each_part_says_where_it_comes_from() -> None:
    given = made(answer("c.test", 9.0), answer("d.test", allows=False))
    assert [(str(each.rule.pattern), each.origin) for each in given.names] == [
        ("a.test", "grant"),
        ("c.test", "answer"),
    ]
    assert [(str(each.pattern), each.origin) for each in given.denials] == [
        ("b.test", "policy.toml"),
        ("d.test", "answer"),
    ]
    assert [each.origin for each in made(asked=Asked("allow", PLANNED)).names] == ["profile"]


def test_it_ends_with_the_first_of_the_answers_that_count() -> None:
    every = (answer("c.test", 30.0), answer("d.test", 20.0), answer("e.test", 4.0))
    given = made(*every, answer("b.test", 10.0))
    assert given.ends == 20.0, "one has ended, and one counts for nothing"
    assert made().ends == 0.0
    assert [str(each.pattern) for each in given.approvals] == ["c.test", "d.test"]


def test_an_approval_that_is_used_up_is_there_for_its_connection_alone_until_a_policy_forbids_it() -> (
    None
):
    used = answer("c.test", 30.0)._replace(once="1", is_used=True)
    given = made(used)
    assert given.gateway is not None
    policy = given.gateway.policy
    assert [str(rule.pattern) for rule in policy.rules] == ["a.test", "c.test"]
    assert decide(policy, "c.test", 443, 5.0).reason == "expired"
    assert [str(each.rule.pattern) for each in given.names] == ["a.test"]
    assert (given.approvals, given.ends) == ((), 0.0)
    forbidden = rights(
        Target("/w", "c1"),
        Asked("allow", PLANNED),
        Limits(False),
        (used,),
        Recorded(),
        Login(),
        5.0,
    )
    assert forbidden.gateway is not None
    assert [str(rule.pattern) for rule in forbidden.gateway.policy.rules] == ["a.test"]


def test_the_login_is_in_what_the_gateway_gets_and_in_no_text() -> None:
    given = made()
    assert given.gateway is not None and given.gateway.policy.upstream is not None
    assert given.gateway.policy.upstream.credentials == "me:secret"
    assert "secret" not in repr(given) and "secret" not in repr(Login("me:secret"))
    assert given.planned is not None and given.planned.upstream is not None
    assert given.planned.upstream.credentials == ""


def test_a_credential_without_a_record_has_no_door() -> None:
    given = made()
    assert given.gateway is not None
    assert given.gateway.policy.credentials == (("npm", 3200),)


def test_no_network_lets_nothing_through_and_an_open_one_is_not_ours() -> None:
    assert made(asked=Asked("none", None)).gateway is not None
    closed = made(answer("c.test"), asked=Asked("none", None)).gateway
    assert closed is not None and closed.policy == Policy()
    assert made(asked=Asked("open", None)).gateway is None


def test_an_edit_that_waits_is_bounded_and_answers_count_beside_it() -> None:
    most = Policy(rules=(), credentials=(("npm", 3200),))
    given = made(answer("c.test"), asked=Asked("allow", PLANNED, most=most))
    assert given.gateway is not None
    assert not decide(given.gateway.policy, "a.test", 443, 5.0).allowed
    assert decide(given.gateway.policy, "c.test", 443, 5.0).allowed
    assert "waits" in given.problem and given.is_bounded
    same = made(asked=Asked("allow", PLANNED, most=PLANNED))
    assert same.problem == "" and same.gateway == made().gateway


def test_a_rule_covers_what_lets_through_no_more() -> None:
    wide = Rule(pattern("*.a.test"), (80, 443), until=9.0)
    assert is_covered(wide._replace(ports=(80,)), (wide,))
    assert is_covered(wide._replace(until=5.0, once="1"), (wide,))
    for more in (
        wide._replace(until=0.0),
        wide._replace(until=10.0),
        wide._replace(ports=(80, 22)),
        wide._replace(private=True),
        wide._replace(pattern=pattern("a.test")),
    ):
        assert not is_covered(more, (wide,))
    assert not is_covered(wide, (wide._replace(once="1"),))
    assert not is_covered(wide, (wide._replace(needs_sni=True),))
