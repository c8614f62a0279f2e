"""A policy reads back from JSON as it was; anything else is refused whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxd.egress.names import Pattern, pattern
from sandboxd.egress.policy import Policy, Rule, Upstream
from sandboxd.egress.wire import NotAPolicy, policy_from_json, policy_to_json

POLICY = Policy(
    version=7,
    rules=(
        Rule(pattern("github.com"), (22, 443), private=True, source="group git", needs_sni=True),
        Rule(pattern("*.example.org"), (443,), until=1e9, once="1"),
        Rule(Pattern("10.1.2.3"), (5432,), private=True, source="sandboxd.toml"),
    ),
    denied=(pattern("*.evil.example"),),
    canaries=("canary.example.org",),
    services=(("db", "198.18.4.1"),),
    forbidden=("192.0.2.7/32", "2001:db8::/32"),
    addresses=(("github.com", "198.18.16.9"),),
    upstream=Upstream("proxy.example", 8080, "me:secret", (pattern("*.corp.example"),)),
    credentials=(("github-api", 8101), ("npm", 8102)),
    decoys=("ghp_0123456789abcdef",),
)


def test_a_policy_reads_back_as_it_was() -> None:
    assert policy_from_json(json.loads(json.dumps(policy_to_json(POLICY)))) == POLICY
    assert policy_from_json(policy_to_json(Policy())) == Policy()


def changed(path: str, value: object) -> Any:
    """The JSON of `POLICY` with one value in another's place."""
    whole: Any = json.loads(json.dumps(policy_to_json(POLICY)))
    place, *steps = whole, *path.split(".")
    for step in steps[:-1]:
        place = place[int(step) if step.isdigit() else step]
    place[int(steps[-1]) if steps[-1].isdigit() else steps[-1]] = value
    return whole


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("version", "7"),
        ("version", True),
        ("version", -1),
        ("more", 1),
        ("rules", {}),
        ("rules.0.more", 1),
        ("rules.0.pattern", "*.com"),
        ("rules.0.pattern", "*"),
        ("rules.0.pattern", "127.1"),
        ("rules.0.ports", []),
        ("rules.0.ports", [0]),
        ("rules.0.ports", [65536]),
        ("rules.0.ports", ["443"]),
        ("rules.0.ports", list(range(1, 400))),
        ("rules.0.private", 1),
        ("rules.0.until", -1),
        ("rules.0.until", float("nan")),
        ("rules.0.until", 10**400),
        ("rules.0.source", "x" * 600),
        ("denied.0", "a b"),
        ("canaries.0", "[::1]"),
        ("services.0", ["db"]),
        ("services.0", ["db", "198.18.4.256"]),
        ("services", [["db", "198.18.4.1"], ["DB", "198.18.4.2"]]),
        ("forbidden.0", "192.0.2.7/24"),
        ("addresses", [["a.example", "198.18.16.9"], ["b.example", "198.18.16.9"]]),
        ("credentials", [["npm", 3128]]),
        ("credentials", [["NPM", 8101]]),
        ("credentials", [["npm", 8101], ["pypi", 8101]]),
        ("credentials", [["npm", 8101], ["npm", 8102]]),
        ("upstream", {}),
        ("upstream.port", 0),
        ("upstream.direct", ["*"]),
        ("upstream.direct", "near.example"),
        ("upstream.credentials", "a:b\r\nX: y"),
    ],
)
def test_one_wrong_value_refuses_the_whole(path: str, value: object) -> None:
    with pytest.raises(NotAPolicy):
        policy_from_json(changed(path, value))


@pytest.mark.parametrize("place", ["", "rules.0", "upstream"])
def test_a_missing_key_refuses_the_whole(place: str) -> None:
    keys: Any = policy_to_json(POLICY)
    for step in filter(None, place.split(".")):
        keys = keys[int(step) if step.isdigit() else step]
    for key in list(keys):
        whole: Any = policy_to_json(POLICY)
        part = whole
        for step in filter(None, place.split(".")):
            part = part[int(step) if step.isdigit() else step]
        del part[key]
        with pytest.raises(NotAPolicy):
            policy_from_json(whole)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(Policy._fields), inner),
)


@settings(deadline=None)
@given(JSON)
def test_any_other_value_raises_nothing_else(value: object) -> None:
    with pytest.raises(NotAPolicy):
        policy_from_json(value)


def test_credentials_are_not_in_what_a_log_would_hold() -> None:
    assert "secret" not in repr(POLICY)
    assert "secret" not in f"{POLICY.upstream}"
