"""The evaluator answers as the kernel would."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.formats import seccomp as kind
from sandboxd.model.seccomp import ALLOW, ERRNO, Argument, Context, SeccompProfile
from sandboxd.text import SourceText

SYS_ADMIN = Context(caps=frozenset({"CAP_SYS_ADMIN"}))


def profile(*rules: dict[str, Any], default: str = ERRNO, **head: Any) -> SeccompProfile:
    text = json.dumps({"defaultAction": default, **head, "syscalls": list(rules)})
    document = kind.parse(SourceText("seccomp.json", text))
    [(name, result)] = kind.subjects(document)
    assert name == "SeccompProfile" and isinstance(result, SeccompProfile)
    return result


def rule(*names: str, action: str = ALLOW, **rest: Any) -> dict[str, Any]:
    return {"names": list(names), "action": action, **rest}


def condition(op: str, value: int, two: int = 0, index: int = 0) -> dict[str, Any]:
    return {"index": index, "op": f"SCMP_CMP_{op}", "value": value, "valueTwo": two}


@pytest.mark.parametrize(
    ("op", "value", "two", "given_", "holds"),
    [
        ("NE", 40, 0, 39, True), ("NE", 40, 0, 40, False),
        ("LT", 38, 0, 37, True), ("LT", 38, 0, 38, False),
        ("LE", 38, 0, 38, True), ("LE", 38, 0, 39, False),
        ("EQ", 8, 0, 8, True), ("EQ", 8, 0, 9, False),
        ("GE", 8, 0, 8, True), ("GE", 8, 0, 7, False),
        ("GT", 40, 0, 41, True), ("GT", 40, 0, 40, False),
        ("MASKED_EQ", 0x7E020000, 0, 17, True),
        ("MASKED_EQ", 0x7E020000, 0, 0x10000011, False),
        ("MASKED_EQ", 0x10000000, 0x10000000, 0x10000011, True),
        ("NO_SUCH", 0, 0, 0, False),
    ],
)  # fmt: skip
def test_operators(op: str, value: int, two: int, given_: int, holds: bool) -> None:
    assert Argument(0, f"SCMP_CMP_{op}", value, two).holds(given_) is holds


def test_conditions_on_different_arguments_must_all_hold() -> None:
    filter_ = profile(rule("socket", args=[condition("EQ", 1), condition("EQ", 2, index=1)]))
    assert filter_.decide("socket", {0: 1, 1: 2}).is_open
    assert not filter_.decide("socket", {0: 1, 1: 3}).is_open


def test_conditions_on_one_argument_are_alternatives_and_take_the_others_along() -> None:
    split = [condition("NE", 38), condition("NE", 40), condition("EQ", 2, index=1)]
    filter_ = profile(rule("socket", args=split))
    assert filter_.decide("socket", {0: 38, 1: 9}).is_open
    assert filter_.decide("socket", {0: 40, 1: 9}).is_open


def test_capabilities_kernel_and_architecture_decide_which_rules_there_are() -> None:
    filter_ = profile(
        rule("mount", includes={"caps": ["CAP_SYS_ADMIN"]}),
        rule("ptrace", includes={"minKernel": "4.8"}),
        rule("modify_ldt", includes={"arches": ["amd64", "x86"]}),
        rule("clone3", action=ERRNO, errnoRet=38, excludes={"caps": ["CAP_SYS_ADMIN"]}),
    )
    assert not filter_.decide("mount").is_open
    assert filter_.decide("mount", None, SYS_ADMIN).is_open
    assert filter_.decide("ptrace").is_open
    assert filter_.decide("ptrace", None, Context(kernel=(4, 8))).is_open
    assert not filter_.decide("ptrace", None, Context(kernel=(4, 7))).is_open
    assert not filter_.decide("modify_ldt", None, Context(arch="arm64")).is_open
    assert filter_.decide("clone3").is_unknown_call
    assert not filter_.decide("clone3", None, SYS_ADMIN).is_unknown_call


def test_the_default_answers_for_the_rest_with_its_own_errno() -> None:
    assert profile(rule("read")).decide("write").errno == 1
    assert profile(rule("read"), defaultErrnoRet=38).decide("write").is_unknown_call
    assert profile(rule("read"), default="SCMP_ACT_KILL").decide("write").errno is None


def test_the_first_rule_without_conditions_wins_over_all() -> None:
    masked = rule("clone", args=[condition("MASKED_EQ", 0x7E020000)])
    for rules in ([masked, rule("clone")], [rule("clone"), masked]):
        assert profile(*rules).decide("clone", {0: 0x10000000}).is_open
    refused = rule("clone", action=ERRNO)
    assert not profile(refused, rule("clone")).decide("clone").is_open
    assert profile(rule("clone"), refused).decide("clone").is_open


def test_half_typed_profiles_are_read_as_far_as_they_go() -> None:
    text = '{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read", 3], "act'
    [(_, filter_)] = kind.subjects(kind.parse(SourceText("seccomp.json", text)))
    assert isinstance(filter_, SeccompProfile)
    assert set(filter_.by_name) == {"read"}


CALLS = st.sampled_from(["clone", "socket", "read", "mount"])
OPS = st.sampled_from(["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"])
SMALL = st.integers(0, 7)
CONDITIONS = st.lists(st.builds(condition, OPS, SMALL, SMALL, st.integers(0, 2)), max_size=3)
RULES = st.lists(
    st.builds(lambda names, args: rule(*names, args=args), st.lists(CALLS, max_size=3), CONDITIONS),
    max_size=4,
)
ARGS = st.dictionaries(st.integers(0, 2), SMALL)


@given(RULES, CALLS, ARGS)
def test_a_rule_of_alternatives_is_the_same_as_one_rule_each(
    rules: list[dict[str, Any]], call: str, args: dict[int, int]
) -> None:
    parts: list[dict[str, Any]] = []
    for entry in rules:
        indexes = [part["index"] for part in entry["args"]]
        if len(set(indexes)) < len(indexes):
            parts += [{**entry, "args": [part]} for part in entry["args"]]
        else:
            parts.append(entry)
    assert profile(*rules).decide(call, args).action == profile(*parts).decide(call, args).action


@given(RULES, CALLS, ARGS, st.randoms(use_true_random=False))
def test_among_rules_that_allow_order_means_nothing(
    rules: list[dict[str, Any]], call: str, args: dict[int, int], random: Any
) -> None:
    other = list(rules)
    random.shuffle(other)
    assert profile(*rules).decide(call, args).action == profile(*other).decide(call, args).action


@given(RULES, CALLS, ARGS)
def test_one_more_rule_that_allows_never_refuses(
    rules: list[dict[str, Any]], call: str, args: dict[int, int]
) -> None:
    before = profile(*rules).decide(call, args).is_open
    after = profile(*rules, rule("socket")).decide(call, args).is_open
    assert after or not before
    assert after or call != "socket"
