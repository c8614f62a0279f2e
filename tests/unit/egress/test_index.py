"""The index of a policy answers as the policy itself does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandboxd.egress.index import Index
from sandboxd.egress.names import Pattern, pattern
from sandboxd.egress.policy import Policy, Rule, decide

LABELS = st.sampled_from(["a", "b", "xn--c"])
NAMES = st.lists(LABELS, min_size=2, max_size=4).map(".".join)
PATTERNS = st.builds(Pattern, NAMES, st.booleans())
PORTS = st.lists(st.sampled_from([22, 80, 443]), min_size=1, max_size=2).map(tuple)
RULES = st.builds(
    Rule, PATTERNS, PORTS, st.booleans(), st.just(""), st.sampled_from([0.0, 5.0]), st.booleans()
)
POLICIES = st.builds(
    Policy,
    rules=st.lists(RULES, max_size=8).map(tuple),
    denied=st.lists(PATTERNS, max_size=2).map(tuple),
    canaries=st.lists(NAMES, max_size=1).map(tuple),
    services=st.lists(st.tuples(NAMES, st.just("198.18.4.1")), max_size=1).map(tuple),
)
ASKED = NAMES | st.sampled_from(["A.B.", "10.0.0.1", "", "localhost"])


@given(POLICIES, ASKED, st.sampled_from([0, 22, 80, 443]), st.sampled_from([1.0, 9.0]))
def test_the_verdict_is_that_of_the_whole_policy(
    policy: Policy, name: str, port: int, now: float
) -> None:
    assert Index(policy).decide(name, port, now).reason == decide(policy, name, port, now).reason


def test_only_the_lines_that_can_matter_are_asked() -> None:
    rules = tuple(Rule(pattern(f"host{number}.example"), (443,)) for number in range(2000))
    assert Index(Policy(rules=rules)).about("host7.example").rules == (rules[7],)
