"""Verdicts of random policies, beside a model that compares each rule with each name."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandboxd.egress.names import NotAName, Pattern, address, normal, pattern
from sandboxd.egress.policy import Decider, Policy, Rule, Verdict, decide

# Few labels, so that names often lie below those of a wildcard.
LABELS = st.sampled_from(["a", "b"])
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
LITERALS = st.sampled_from(["10.0.0.1", "10.0.0.2", "192.168.1.1"])
PATTERNS = st.one_of(
    st.builds(Pattern, NAMES, st.booleans()).filter(lambda p: not p.below or "." in p.host),
    LITERALS.map(Pattern),
)
PORTS = st.sampled_from([22, 80, 443])
RULES = st.builds(
    Rule,
    PATTERNS,
    st.lists(PORTS, max_size=2).map(tuple),
    private=st.booleans(),
    source=st.sampled_from(["group a", "sandboxd.toml"]),
    until=st.sampled_from([0.0, 50.0, 150.0]),
    once=st.sampled_from(["", "1"]),
)
POLICIES = st.builds(
    Policy,
    rules=st.lists(RULES, max_size=8).map(tuple),
    denied=st.lists(PATTERNS, max_size=2).map(tuple),
    canaries=st.lists(NAMES, max_size=1).map(tuple),
    services=st.lists(st.tuples(NAMES, st.just("198.18.4.1")), max_size=1).map(tuple),
    decoys=st.lists(st.sampled_from(["A.B", "b.b"]), max_size=1).map(tuple),
)
NOW = 100.0


def known(policy: Policy, text: str) -> str | None:
    try:
        return normal(text)
    except NotAName:
        hosts = [rule.pattern.host for rule in policy.rules] + [p.host for p in policy.denied]
        return text if text in hosts else None


def by_comparing(policy: Policy, text: str, port: int) -> Verdict:
    """The verdict, found the slow way."""
    name = known(policy, text)
    if name is None:
        return Verdict("not-a-name")
    if name in policy.canaries or any(each.lower() in name for each in policy.decoys):
        return Verdict("canary")
    if any(each.matches(name) for each in policy.denied):
        return Verdict("denied")
    if any(name == service for service, _ in policy.services):
        return Verdict("service")
    rules = [rule for rule in policy.rules if rule.pattern.matches(name)]
    rules.sort(
        key=lambda r: (
            r.pattern.below,
            -len(r.pattern.host),
            bool(r.once),
            not r.private,
        )  # most exact first
    )
    living = [rule for rule in rules if rule.until == 0 or rule.until > NOW]
    usable = [rule for rule in living if port == 0 or port in rule.ports]
    if usable:
        return Verdict("allowed", usable[0])
    if living:
        return Verdict("port", living[0])
    return Verdict("expired", rules[0]) if rules else Verdict("no-rule")


@given(POLICIES, st.one_of(NAMES, LITERALS), st.sampled_from([0, 22, 80, 443, 5432]))
def test_the_index_decides_as_comparing_does(policy: Policy, name: str, port: int) -> None:
    assert decide(policy, name, port, NOW) == by_comparing(policy, name, port)


@given(POLICIES, NAMES, PORTS)
def test_spellings_of_one_name_get_one_verdict(policy: Policy, name: str, port: int) -> None:
    decider = Decider(policy)
    for spelling in (name.upper(), f"{name}.", name.title()):
        assert decider.decide(spelling, port, NOW) == decider.decide(name, port, NOW)


@given(st.text(max_size=40))
def test_what_is_read_as_a_name_is_its_own_spelling(text: str) -> None:
    try:
        name = normal(text)
    except NotAName:
        return
    assert normal(name) == name and name == name.lower() and not name.endswith(".")
    assert name.isascii()


@given(st.one_of(st.text(max_size=40), NAMES, NAMES.map(lambda name: f"*.{name}")))
def test_a_pattern_is_read_back_from_its_text(text: str) -> None:
    try:
        read = pattern(text)
    except NotAName:
        return
    assert pattern(str(read)) == read
    assert read.matches(f"www.{read.host}") is read.below
    assert read.matches(read.host) is not read.below
    assert not read.matches(f"evil{read.host}")


@given(st.text(alphabet="0123456789.x٣ ", max_size=18))
def test_an_address_has_one_spelling_and_is_no_name(text: str) -> None:
    try:
        literal = address(text)
    except NotAName:
        return
    parts = [int(part) for part in literal.split(".")]
    assert literal == text == ".".join(map(str, parts)) and max(parts) < 256
    try:
        normal(literal)
    except NotAName:
        return
    raise AssertionError(f"`{literal}` is read as a name, too")
